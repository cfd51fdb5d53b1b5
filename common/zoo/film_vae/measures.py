"""How good `film-vae` is: on shots never trained on, of the film it was trained on and of a street that it was not.

Latents are the most likely ones, and pixels are held in [-1, 1] as a file would hold them.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from common.data.bundled import clips, excerpts
from common.data.film import HELD_OUT, FilmData
from common.data.sources import find_source, source_path
from common.evaluation.coding import h264_psnr, ideal_bits
from common.evaluation.reconstruction import Reconstruction, mean_frame
from common.tensor_ops import from_uint8
from common.video import frames_to_clip, read_frames
from common.zoo.settings import pick_setting
from common.zoo.sprites_vae.measures import restored

NUM_FRAMES = 17
EVERY_STEP, RECONSTRUCT = (1, 2, 3), (3,)  # frames from one of a clip to the next; the last is 8 frames per second
ROWS = {64: EVERY_STEP, 128: RECONSTRUCT, 256: RECONSTRUCT}
# setting -> square windows of film; rows of whole pictures, with their steps, of film; the same of the street
SETTINGS = {"small": (16, {64: RECONSTRUCT}, {}), "full": (192, ROWS, ROWS)}
RATED = (64,)  # rows at which bits are counted
MULTIPLE = 8  # rows and columns of an autoencoder's clips come in these
PRECISIONS = tuple(2.0 ** (-k / 2) for k in range(4, 13))  # steps of rounding, in standard deviations of a channel
MAY_LOSE = 0.1  # dB that rounding may cost
NUM_DRAWS = 2000  # of the bootstrap


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `CausalVideoVAE` whose latents' statistics are known.
        setting: "small", or "full", which needs the optional source `bikes`.
        progress: called with the part that is done.

    Returns:
        Names such as `film_64/psnr`. The sets: `film_squares`, the windows of held-out shots by which `sprites-vae` is
        judged too; `film_64`, `film_128`, …, whole pictures with so many rows, of the held-out shots and of the bundled
        excerpt's; `bikes_64`, …, the same of the street. Of each set the measures of `Reconstruction` and
        `psnr_mean_frame`, of the baseline that gives each clip's mean frame. Of whole pictures also `psnr_low` and
        `psnr_high`, the 95 % interval of a bootstrap over shots. With `RATED` rows also `psnr_rounded`, with latents
        rounded to the coarsest of `PRECISIONS` (`precision`) that costs at most `MAY_LOSE`; `bits_per_pixel` of these
        latents; and `psnr_h264`, with as many bits.

    Raises:
        ValueError: there is no such setting.
        DataError: the bundled film is not there, or the street has not been fetched.
    """
    num_squares, film, street = pick_setting(SETTINGS, setting)
    jobs = {"film_squares": (squares, num_squares)}
    jobs |= {f"film_{rows}": (film_pictures, rows, steps) for rows, steps in film.items()}
    jobs |= {f"bikes_{rows}": (street_pictures, rows, steps) for rows, steps in street.items()}
    found = {}
    for done, (name, (load, *choice)) in enumerate(jobs.items(), start=1):
        shots = load(*choice)
        targets = [clip for shot in shots for clip in shot]
        numbers, each = quality(model, targets)
        if name != "film_squares":
            numbers |= interval(each, [len(shot) for shot in shots])
        if choice[0] in RATED and name != "film_squares":
            numbers |= rate(model, targets)
        found |= {f"{name}/{measure}": value for measure, value in numbers.items()}
        if progress is not None:
            progress(done / len(jobs))
    return found


def quality(model, targets: list[torch.Tensor]) -> tuple[dict[str, float], list[float]]:
    """The measures of `Reconstruction` and the mean frame's PSNR over clips `(3, T, H, W)`; and each clip's PSNR."""
    video, baseline = Reconstruction(), Reconstruction()
    for target in targets:
        video.add(restored(model, target[None]), target[None])
        baseline.add(mean_frame(target[None]), target[None])
    numbers = {"num_clips": len(targets)} | video.result() | {"psnr_mean_frame": baseline.result()["psnr"]}
    return numbers, video.psnr


def interval(psnr: list[float], counts: list[int]) -> dict[str, float]:
    """The 95 % interval of the mean: whole shots are drawn anew, since clips of one shot are alike.

    Args:
        psnr: of each clip, shot after shot.
        counts: how many clips each shot has.
    """
    shots = np.split(np.array(psnr), np.cumsum(counts)[:-1])
    random, means = np.random.default_rng(0), []
    for _ in range(NUM_DRAWS):
        drawn = random.integers(len(shots), size=len(shots))
        means.append(np.concatenate([shots[k] for k in drawn]).mean())
    low, high = np.percentile(means, [2.5, 97.5])
    return {"psnr_low": float(low), "psnr_high": float(high)}


def rate(model, targets: list[torch.Tensor]) -> dict[str, float]:
    """Bits of the latents at the coarsest precision that costs next to nothing, and H.264 with as many."""
    latents = [model.normalize(model.encode(clip[None]).latent_dist.mode()) for clip in targets]

    def rounded(precision: float | None) -> float:
        found = Reconstruction()
        for z, clip in zip(latents, targets):
            z = z if precision is None else (z / precision).round() * precision
            found.add(model.decode(model.denormalize(z)).sample.clamp(-1, 1), clip[None])
        return found.result()["psnr"]

    exact = rounded(None)
    tried = ((precision, rounded(precision)) for precision in PRECISIONS)
    precision, psnr = next(one for one in tried if one[1] >= exact - MAY_LOSE)
    bits = ideal_bits([(z[0] / precision).round() for z in latents])
    pixels = sum(clip[0].numel() for clip in targets)
    return {"precision": precision, "psnr_rounded": psnr, "bits_per_pixel": bits / pixels,
            "psnr_h264": h264_psnr(targets, bits)}  # fmt: skip


def squares(count: int) -> list[list[torch.Tensor]]:
    """The first windows of the held-out shots, 64 by 64, `(3, 17, 64, 64)` each."""
    return [list(from_uint8(FilmData("test", NUM_FRAMES, 64).batch(range(count))))]


def film_pictures(rows: int, steps: tuple[int, ...]) -> list[list[torch.Tensor]]:
    """Whole pictures of the film's held-out pieces, by shot."""
    pieces = [shot for shot in clips() if shot.name in HELD_OUT] + excerpts()
    return [shot for piece in pieces for shot in middles(piece.path, piece.cuts, rows, steps)]


def street_pictures(rows: int, steps: tuple[int, ...]) -> list[list[torch.Tensor]]:
    """Whole pictures of the street with bicycles, by shot."""
    return middles(source_path("bikes"), find_source("bikes").cuts, rows, steps)


def middles(path: Path, cuts: tuple[int, ...], rows: int, steps: tuple[int, ...]) -> list[list[torch.Tensor]]:
    """Clips from the middle of each shot of a file, one for each step for which the shot is long enough.

    Each is `(3, 17, rows, W)`, with the largest W that an autoencoder takes. Shots that are too short for any are left
    out.
    """
    frames = read_frames(path, size=rows)  # (F, rows, W, 3)
    left = frames.shape[2] % MULTIPLE // 2
    frames, found = frames[:, :, left : left + frames.shape[2] // MULTIPLE * MULTIPLE], []
    for begin, end in zip((0, *cuts), (*cuts, len(frames))):
        spans = {step: (NUM_FRAMES - 1) * step + 1 for step in steps}
        starts = {step: begin + (end - begin - span) // 2 for step, span in spans.items() if span <= end - begin}
        clips_ = [frames_to_clip(frames[start : start + spans[step] : step]) for step, start in starts.items()]
        found += [clips_] if clips_ else []
    return found
