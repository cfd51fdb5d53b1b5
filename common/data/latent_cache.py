"""Latents on the disk: any data set pushed through any encoder once, and read back by number from then on.

    vae = from_pretrained("sprites-vae")
    cache = fill("runs/latents", SpriteData(), lambda batch: vae.encode(batch.clips()).latent_dist.mode(),
                 num_samples=20_000, encoder=weights_key(vae))
    cache.batch([0, 7, 20_003])  # latents float16 (3, 16, 5, 8, 8), and fields["captions"]

Filling may be killed at any moment, by Ctrl-C, `kill -9` or a power cut: the same call goes on after the last finished
shard and comes to the same bytes. A folder belongs to one data set, one encoder and one way of cutting it into shards;
another's is refused. What was captioned stays captioned: texts, and small tensors of one row per sample, come along.
"""

import re
import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from common import files
from common.data.cache_identity import COUNT, data_key, demand_same, digest, read_about, weights_key, write_about
from common.data.download import DataError
from common.data.latent_batch import LatentBatch, joined, small_fields
from common.data.shards import DamagedShard, Shard, open_shard, write_shard
from common.progress import progress_bar

__all__ = ["LatentBatch", "LatentCache", "fill", "weights_key"]

LATENTS, FIELD = "latents", "field."  # names of tensors in a shard
# What a fill that was killed leaves half written: a shard, or the file about the cache. Other names are the user's own.
LEFTOVER = re.compile(r"(shard_\d{5,}|\.\w+\.\w{8})\.partial")


class LatentCache:
    """A filled cache as a data set: `batch(indices)` takes any numbers, modulo that of the samples.

    Args:
        folder: that `fill` has filled.
        num_samples: use the first ones only; all if None.

    Attributes:
        key: how many latents of what shape, of which data, by which encoder.

    Raises:
        DataError: there is no cache, or it is not filled that far.
    """

    def __init__(self, folder: str | Path, num_samples: int | None = None):
        self.folder, self.about = Path(folder), read_about(Path(folder))
        finished = self.about[COUNT] if self.about else 0
        self.num_samples = finished if num_samples is None else num_samples
        if not 1 <= self.num_samples <= finished:
            wanted = "" if num_samples is None else f" of {num_samples}"
            raise DataError(f"{folder} is filled with {finished}{wanted} latents so far; `fill` goes on from there.")
        shape = "x".join(map(str, self.about["shape"]))
        self.key = f"{self.num_samples} latents {shape} of [{self.about['data']}] by [{self.about['encoder']}]"

    def __len__(self) -> int:
        return self.num_samples

    def batch(self, indices: Iterable[int]) -> LatentBatch:
        """The latents with these numbers, modulo the number of samples, and what belongs to each.

        Raises:
            DataError: a shard is damaged; the message names it.
            ValueError: there is no number.
        """
        wanted = [int(index) % self.num_samples for index in indices]
        if not wanted:
            raise ValueError("a batch needs at least one number")
        size, positions_in = self.about["shard_size"], {}
        for position, index in enumerate(wanted):
            positions_in.setdefault(index // size, []).append(position)
        pieces = [
            _read(self._shard(number), [wanted[position] % size for position in positions])
            for number, positions in positions_in.items()
        ]
        came = [position for positions in positions_in.values() for position in positions]
        return joined(pieces, sorted(range(len(came)), key=came.__getitem__))

    def _shard(self, number: int) -> Shard:
        try:
            return _shard_of(self.folder, number, self.about)
        except DamagedShard as error:
            first = number * self.about["shard_size"]
            raise DamagedShard(
                f"{error}. It holds the samples from {first} to {first + self.about['shard_size'] - 1}. Fill the cache "
                "with the same call as before: that shard alone is made again."
            ) from error


def fill(
    folder: str | Path,
    data: Any,
    encode: Callable[[Any], torch.Tensor],
    num_samples: int,
    *,
    encoder: str,
    shard_size: int = 256,
    batch_size: int = 8,
    quiet: bool = False,
) -> LatentCache:
    """Encode samples 0 to `num_samples - 1` into a folder: those that are not there yet, or are damaged.

    Args:
        folder: of this cache alone; made if it is not there.
        data: with `batch(indices)`, and with a `key`, or a dataclass, whose fields then name it.
        encode: a batch to latents `(B, ...)`, called without gradients.
        num_samples: more than last time is fine: the cache grows.
        encoder: which one it is, with which weights: `weights_key(model)`.
        shard_size: samples a file; that many is what a kill costs at most.
        batch_size: samples encoded at a time.
        quiet: no progress bar and no word.

    Raises:
        DataError: the folder holds other latents or is in use, the disk is full, or a latent is not a number that
            float16 can hold. Finished shards stay.
        ValueError: a size is below 1, or the data has neither a key nor fields.
    """
    folder = Path(folder)
    if min(num_samples, shard_size, batch_size) < 1:
        raise ValueError(f"sizes are at least 1, got {num_samples=}, {shard_size=}, {batch_size=}")
    identity = {"data": data_key(data), "encoder": encoder, "dtype": "float16", "shard_size": shard_size}
    with _locked(folder), _progress(num_samples, quiet) as bar:
        about = read_about(folder)
        demand_same(about or identity, identity, folder)
        for path in [*folder.iterdir()]:
            if LEFTOVER.fullmatch(path.name):
                path.unlink(missing_ok=True)
        for first in range(0, num_samples, shard_size):
            wanted = range(first, min(first + shard_size, num_samples))
            if about is None or not _is_whole(folder, first // shard_size, about, len(wanted), quiet):
                tensors, texts = _encoded(data, encode, wanted, batch_size, bar)
                shape = {"shape": list(tensors[LATENTS].shape[1:])}
                if about is None:  # said before the first shard is there
                    about = identity | shape | {COUNT: 0}
                    write_about(folder, about)
                demand_same(about, shape, folder)
                write_shard(
                    _place(folder, first // shard_size), tensors, texts, {"cache": digest(about), "first": first}
                )
            bar.update(first + len(wanted) - bar.n)
        if about[COUNT] < num_samples:
            write_about(folder, about | {COUNT: num_samples})
    return LatentCache(folder, num_samples)


@torch.no_grad()
def _encoded(data, encode, indices: range, batch_size: int, bar) -> tuple[dict, dict]:
    """The tensors and the texts of one shard."""
    pieces = []
    for start in range(0, len(indices), batch_size):
        chosen = list(indices[start : start + batch_size])
        batch = data.batch(chosen)
        latents = encode(batch).to(device="cpu", dtype=torch.float16)
        if len(latents) != len(chosen):
            raise ValueError(f"the encoder made {len(latents)} latents of {len(chosen)} samples")
        fits = latents.isfinite().flatten(1).all(dim=1)  # (B,)
        if not fits.all():
            wrong = chosen[fits.tolist().index(False)]
            raise DataError(f"the latent of sample {wrong} is not a number, or too large for float16")
        pieces.append(LatentBatch(latents, small_fields(batch, len(chosen))))
        bar.update(len(chosen))
    whole = joined(pieces, range(len(indices)))
    tensors = {FIELD + name: value for name, value in whole.fields.items() if isinstance(value, torch.Tensor)}
    texts = {name: value for name, value in whole.fields.items() if not isinstance(value, torch.Tensor)}
    return tensors | {LATENTS: whole.latents}, texts


def _read(shard: Shard, rows: list[int]) -> LatentBatch:
    tensors = {name: shard.rows(name, rows) for name in shard.names}
    texts = {name: tuple(lines[row] for row in rows) for name, lines in shard.texts.items()}
    carried = {name.removeprefix(FIELD): tensor for name, tensor in tensors.items() if name != LATENTS}
    return LatentBatch(tensors[LATENTS], carried | texts)


def _place(folder: Path, number: int) -> Path:
    return folder / f"shard_{number:05d}.safetensors"


def _shard_of(folder: Path, number: int, about: dict) -> Shard:
    """A shard of this cache.

    Raises:
        DamagedShard: it is not there, not what was written, or was written for another cache or another place in it.
    """
    path, first = _place(folder, number), number * about["shard_size"]
    shard = open_shard(path)
    if shard.about.get("cache") != digest(about):
        raise DamagedShard(f"{path.name} in {folder} belongs to another cache")
    began = shard.about.get("first", first)  # caches of the first version do not say it
    if began != first:
        raise DamagedShard(f"{path.name} in {folder} holds the samples from {began} on, not from {first} on")
    return shard


def _is_whole(folder: Path, number: int, about: dict, num_samples: int, quiet: bool) -> bool:
    """Whether a shard is there with all its samples; a damaged one is named, and made again like one that is not."""
    if not _place(folder, number).exists():
        return False
    try:
        return len(_shard_of(folder, number, about)) >= num_samples
    except DamagedShard as error:
        if not quiet:
            tqdm.write(f"{error}. It is made again.", file=sys.stderr)
        return False


@contextmanager
def _progress(num_samples: int, quiet: bool):
    """A bar with the time left, once filling takes longer than two seconds; and a word when it is interrupted."""
    with progress_bar(total=num_samples, unit=" samples", desc="latents", delay=2, disable=quiet or None) as bar:
        try:
            yield bar
        except KeyboardInterrupt:
            if not quiet:
                tqdm.write("Interrupted. Finished shards stay; the same call goes on after them.", file=sys.stderr)
            raise


@contextmanager
def _locked(folder: Path):
    """Hold a folder while it is filled. The lock of a process that was killed is gone with it."""
    with ExitStack() as stack:
        try:
            ours = stack.enter_context(files.held(folder))
        except OSError as error:
            raise DataError(f"{folder} cannot be written: {error}") from error
        if not ours:
            raise DataError(f"{folder} is being filled by another process. Let it end, or choose another.")
        yield
