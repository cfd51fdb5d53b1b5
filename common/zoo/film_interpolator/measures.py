"""How good `film-interpolator` is: the middle frame on three film shots and on sprites that it never saw.

Beside it stand three methods that need no training: the mean of both frames, OpenCV's DIS flow, ffmpeg's minterpolate.
"""

from collections.abc import Callable

import torch

from common.data.download import DataError
from common.data.film import HELD_OUT
from common.data.sprites import SpriteData
from common.data.triplets import Triplets, film_triplets
from common.evaluation.interpolation import motion_size, picture_scores, terciles
from common.flow import average_frames, dis, dis_between, minterpolate
from common.zoo.settings import pick_setting

# setting -> how far apart the middle frames of film triplets are, and how many clips of sprites
SETTINGS = {"small": (8, 16), "full": (1, 192)}
STEPS = (1, 2, 3)  # frames of the film between neighbours of a triplet
BASELINES = {"average": average_frames, "dis": dis_between, "minterpolate": minterpolate}
THIRDS = ("small", "middle", "large")
BATCH = 8


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: two batches of pictures `(B, 3, H, W)` to the one midway.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        For each set, `film/…`: means over its triplets of `psnr` (dB) and `ssim` of the model, `psnr_average`,
        `psnr_dis`, … of the baselines; and `psnr_lead`, `ssim_lead`, the model's minus the best baseline's. The sets:
        `film`, all triplets of the held-out shots, frames 1, 2 and 3 apart, 96 rows high; `film_small`, `film_middle`
        and `film_large`, its thirds by the size of the motion (`motion_to`: the largest of the third, in pixels from
        first to last); `sprites`, of attribute combinations never trained on. `film/thirds_led` counts the thirds
        in which both leads are above 0. Without the bundled film (as in an installed library) only sprites.

    Raises:
        ValueError: there is no such setting.
        ImportError: OpenCV or ffmpeg is missing; both come with the course.
    """
    every, num_sprites = pick_setting(SETTINGS, setting)
    sets = {"sprites": sprite_triplets(num_sprites)}
    film = held_out_film(every)
    if film is not None:
        sets["film"] = film
    total, done, found = sum(map(len, sets.values())), 0, {}
    for name, triplets in sets.items():
        methods = {"": lambda a, b: model(a, b).clamp(-1, 1), **BASELINES}
        scores: dict[str, list] = {}
        for start in range(0, len(triplets), BATCH):
            for key, values in scores_of(triplets, slice(start, start + BATCH), methods).items():
                scores.setdefault(key, []).append(values)
            done += len(triplets.names[start : start + BATCH])
            if progress is not None:
                progress(done / total)
        table = {key: torch.cat(parts) for key, parts in scores.items()}
        found |= summary(name, table, torch.ones(len(triplets), dtype=torch.bool))
        if name == "film":
            third = terciles(table["motion"])
            for k, size in enumerate(THIRDS):
                found |= summary(f"film_{size}", table, third == k)
            found["film/thirds_led"] = sum(
                found[f"film_{size}/psnr_lead"] > 0 and found[f"film_{size}/ssim_lead"] > 0 for size in THIRDS
            )
    return found


def scores_of(triplets: Triplets, chosen: slice, methods: dict[str, Callable]) -> dict[str, torch.Tensor]:
    """`motion` in pixels, and `psnr` and `ssim` of each method (`psnr_dis`, …; no name, no underscore), `(n,)` each."""
    first, middle, last = triplets.pictures(chosen)
    found = {"motion": motion_size(first, middle, last, dis)}
    for method, between in methods.items():
        for measure_name, values in picture_scores(between(first, last), middle).items():
            found[f"{measure_name}_{method}".rstrip("_")] = values
    return found


def summary(name: str, table: dict[str, torch.Tensor], members: torch.Tensor) -> dict[str, float]:
    """The means of some triplets, the largest motion among them, and the lead over the best baseline."""
    means = {key: float(values[members].double().mean()) for key, values in table.items() if key != "motion"}
    means["motion_to"] = float(table["motion"][members].max())
    for kind in ("psnr", "ssim"):
        means[f"{kind}_lead"] = means[kind] - max(means[f"{kind}_{baseline}"] for baseline in BASELINES)
    return {f"{name}/{key}": value for key, value in means.items()}


def held_out_film(every: int) -> Triplets | None:
    """Triplets of the held-out shots; None where the bundled film is not there."""
    try:
        return film_triplets(HELD_OUT, STEPS, every=every)
    except DataError:
        return None


def sprite_triplets(count: int) -> Triplets:
    """Triplets of held-out sprites, 1, 2 and 3 frames apart in turn, 64 pixels high; only those that move."""
    clips, steps, number = [], [], 0
    while len(clips) < count:
        step = 1 + number % 3
        clip = SpriteData("held_out", 2 * step + 1).batch([number]).pixels[0, :, ::step]  # (3, 3, 64, 64)
        if (clip[:, 0] != clip[:, 2]).any():
            clips.append(clip)
            steps.append(step)
        number += 1
    return Triplets(torch.stack(clips), ("sprites",) * count, tuple(steps), tuple(steps))
