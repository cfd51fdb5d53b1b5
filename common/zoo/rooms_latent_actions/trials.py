"""Codes at play: held down in the decoder's own dream, or named and pressed in `arcade-rooms`. And a baseline."""

from collections.abc import Sequence

import numpy as np
import torch
from einops import rearrange, reduce

from common.data.arcade import Recording
from common.evaluation.arcade_reader import read_rooms
from common.models.latent_action import PAST
from common.streaming.world import push, quantize, rollout
from common.zoo.rooms_latent_actions.steps import Steps

POOL, ROUNDS = 4, 20  # pixels per side of a cell, and rounds, of k-means


@torch.no_grad()
def held(model, past: torch.Tensor, length: int) -> list[torch.Tensor]:
    """Every code held down from one past, the decoder fed with its own frames.

    Args:
        model: a `LatentActionModel`.
        past: two frames, `(3, 2, 64, 64)`.
        length: frames to be made.

    Returns:
        One clip `(3, length, 64, 64)` per code.
    """
    codebook = model.quantizer.codebook
    past, frames = past.expand(len(codebook), *past.shape), []
    for _ in range(length):
        frames.append(quantize(model.decode(past, codebook)))
        past = push(past, frames[-1])
    return list(torch.stack(frames, dim=2))


def keys_of(model, names: torch.Tensor, clip: torch.Tensor) -> torch.Tensor:
    """The keys of a video by its codes and their names.

    Args:
        model: a `LatentActionModel`.
        names: the action of each code, int64 `(K,)`.
        clip: T frames, `(3, T, 64, 64)`.

    Returns:
        int64 `(T - 1,)`. The first one is 0, since nothing is seen before the first frame.
    """
    return torch.cat([torch.zeros(PAST - 1, dtype=torch.int64), names[model.infer(clip)]])


@torch.no_grad()
def dreams(net, clips: torch.Tensor, keys: torch.Tensor, num_steps: int = 1) -> torch.Tensor:
    """Dreams of a world model that begin as some videos do, with keys for every frame.

    Args:
        net: a `WorldUNet` of context K.
        clips: the videos, `(N, 3, T, 64, 64)`; their first K frames are the past.
        keys: int64 `(N, T - 1)`.
        num_steps: of the sampler.

    Returns:
        `(N, 3, T, 64, 64)`, the past included.
    """
    past = clips[:, :, : net.config.context]
    noise = [torch.Generator().manual_seed(number) for number in range(len(clips))]
    frames = rollout(net, past, keys, num_steps, context_noise=0.3, generator=noise)
    return torch.cat([past, torch.stack(list(frames), dim=2)], dim=2)


def same_places(dreamed: torch.Tensor, clips: torch.Tensor, first: int) -> np.ndarray:
    """Where the player of a dream is at the very pixel of the video's: bool `(N, T - first)`.

    Args:
        dreamed, clips: `(N, 3, T, 64, 64)`.
        first: the first frame that counts.
    """
    rows = []
    for one, other in zip(dreamed[:, :, first:], clips[:, :, first:]):
        readings = zip(read_rooms(one), read_rooms(other))
        rows.append([a.num_players == 1 and a.player == b.player for a, b in readings])
    return np.array(rows)


def videos(recording: Recording, numbers: Sequence[int], length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The beginnings of plays: clips `(N, 3, length, 64, 64)` and the true keys, int64 `(N, length - 1)`."""
    batch = recording.windows([(number, 0) for number in numbers], length)
    return batch.clips(), batch.actions


def kmeans_codes(seen: Steps, asked: Steps, num_codes: int) -> torch.Tensor:
    """The baseline: clusters of frame differences, found by Lloyd's k-means on one set of steps, for the other set.

    Args:
        seen: the steps in which clusters are found.
        asked: the steps whose clusters are returned.
        num_codes: of clusters.

    Returns:
        int64 `(N,)`.
    """
    return clusters(differences(seen), differences(asked), num_codes)


def clusters(points: torch.Tensor, asked: torch.Tensor, num_codes: int) -> torch.Tensor:
    """Lloyd's k-means: centres of some points, and for other points the number of the nearest one.

    Args:
        points: `(N, D)`.
        asked: `(M, D)`.
        num_codes: of centres.

    Returns:
        int64 `(M,)`.
    """
    draw = torch.Generator().manual_seed(0)
    centres = points[torch.randperm(len(points), generator=draw)[:num_codes]]
    for _ in range(ROUNDS):
        chosen = torch.cdist(points, centres).argmin(dim=1)
        members = [points[chosen == k] for k in range(num_codes)]
        centres = torch.stack([some.mean(dim=0) if len(some) else old for some, old in zip(members, centres)])
    return torch.cdist(asked, centres).argmin(dim=1)


def differences(steps: Steps) -> torch.Tensor:
    """What changed between the last two frames, in cells of 4×4 pixels: `(N, 768)`."""
    clips = steps.clips()
    cells = reduce(clips[:, :, 2] - clips[:, :, 1], "n c (h a) (w b) -> n c h w", "mean", a=POOL, b=POOL)
    return rearrange(cells, "n c h w -> n (c h w)")
