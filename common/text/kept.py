"""Where a text's states may already be: in the table that is shipped, or in the user's cache on the disk."""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save

from common.text.states import PackedStates


def normal(prompt: str) -> str:
    """A prompt as the encoder tells it from others: neither capitals nor the width of gaps mean anything."""
    return " ".join(prompt.lower().split())


class PromptTable:
    """States of prompts in one safetensors file, all tokens behind each other.

    Args:
        path: of the file. Without one the table is empty.
    """

    def __init__(self, path: Path):
        self.path = path
        self.places: dict[str, tuple[int, int]] = {}  # prompt -> its first token, and the one after its last
        if path.is_file():
            with safe_open(path, framework="pt") as file:
                prompts = json.loads(file.metadata()["prompts"])
                ends = file.get_tensor("lengths").cumsum(0).tolist()
            self.places = dict(zip(prompts, zip([0, *ends[:-1]], ends), strict=True))

    def find(self, prompts: Iterable[str]) -> dict[str, PackedStates]:
        """Those that are here, by their normal form."""
        here = [name for name in map(normal, prompts) if name in self.places]
        if not here:
            return {}
        with safe_open(self.path, framework="pt") as file:
            codes, scales = file.get_slice("codes"), file.get_slice("scales")
            spans = {name: slice(*self.places[name]) for name in here}
            return {name: PackedStates(codes[span], scales[span]) for name, span in spans.items()}

    @staticmethod
    def write(path: Path, states: Mapping[str, PackedStates]) -> None:
        """Make the file, from prompts in their normal form."""
        tensors = {
            "codes": torch.cat([one.codes for one in states.values()]),
            "scales": torch.cat([one.scales for one in states.values()]),
            "lengths": torch.tensor([len(one.scales) for one in states.values()]),
        }
        path.write_bytes(save(tensors, metadata={"prompts": json.dumps(list(states), ensure_ascii=False)}))


class DiskStates:
    """States of prompts in an SQLite file, which several processes may read and write at once.

    A file that cannot be read or written keeps no one from working: then nothing is found, and nothing kept.

    Args:
        path: of the file, made when first needed; None to keep nothing.
    """

    def __init__(self, path: Path | None):
        self.path = path

    def find(self, prompts: Sequence[str]) -> dict[str, PackedStates]:
        """Those that are here, by their normal form."""
        if self.path is None or not self.path.is_file():
            return {}
        with contextlib.suppress(sqlite3.Error, OSError), contextlib.closing(self._open()) as base:
            rows = (
                base.execute("SELECT codes, scales FROM states WHERE prompt = ?", (name,)).fetchone()
                for name in map(normal, prompts)
            )
            return {normal(prompt): _packed(*row) for prompt, row in zip(prompts, rows, strict=True) if row}
        return {}

    def keep(self, states: Mapping[str, PackedStates]) -> None:
        """Write some down, from prompts in their normal form."""
        if self.path is None or not states:
            return
        rows = [(name, one.codes.numpy().tobytes(), one.scales.numpy().tobytes()) for name, one in states.items()]
        with contextlib.suppress(sqlite3.Error, OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.closing(self._open()) as base, base:
                base.execute("CREATE TABLE IF NOT EXISTS states (prompt TEXT PRIMARY KEY, codes BLOB, scales BLOB)")
                base.executemany("INSERT OR REPLACE INTO states VALUES (?, ?, ?)", rows)

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, timeout=30)


def _packed(codes: bytes, scales: bytes) -> PackedStates:
    values = torch.frombuffer(bytearray(scales), dtype=torch.float32)
    return PackedStates(torch.frombuffer(bytearray(codes), dtype=torch.int8).reshape(len(values), -1), values)
