"""How good `sprites-vae` is: on sprites of combinations that it never saw, on new ones of known combinations, on film.

Latents are the most likely ones, and pixels are held in [-1, 1] as a file would hold them.
"""

from collections.abc import Callable

import torch

from common.data.bundled import clips
from common.data.download import DataError
from common.data.film import FilmData
from common.data.sprites import SpriteData
from common.evaluation.reconstruction import Reconstruction, mean_frame
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.tensor_ops import from_uint8
from common.zoo.settings import pick_setting

# setting -> clips of sprites, windows of film
SETTINGS = {"small": (32, 16), "full": (512, 192)}
SHAPE = (17, 64)  # frames, rows and columns
BATCH = 8


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: with `encode` and `decode` as in diffusers.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        Names such as `held_out/psnr`. The sets: `held_out`, attribute combinations never trained on; `test`, new
        clips of known combinations; `film`, windows of three shots never trained on (left out where the bundled
        film is not there, as in an installed library). Of each the measures of `Reconstruction`, `psnr_mean_frame` of
        the baseline that gives each clip's mean frame, and `psnr_image`, of first frames coded as images.

    Raises:
        ValueError: there is no such setting.
    """
    num_sprites, num_film = pick_setting(SETTINGS, setting)
    num_frames, size = SHAPE
    sets = {split: (SpriteData(split, num_frames, size), num_sprites) for split in ("held_out", "test")}
    if has_film():
        sets["film"] = (FilmData("test", num_frames, size), num_film)
    total, done, found = sum(count for _, count in sets.values()), 0, {}
    for name, (data, count) in sets.items():
        video, image, baseline, asked, read = Reconstruction(), Reconstruction(), Reconstruction(), [], []
        for start in range(0, count, BATCH):
            batch = data.batch(range(start, min(start + BATCH, count)))
            target = as_clips(batch)
            back = restored(model, target)
            video.add(back, target)
            image.add(restored(model, target[:, :, :1]), target[:, :, :1])
            baseline.add(mean_frame(target), target)
            if name != "film":
                asked += [scene.words for scene in batch.scenes]
                read += read_sprites(back)
            done += len(target)
            if progress is not None:
                progress(done / total)
        found |= {f"{name}/{measure}": value for measure, value in video.result().items()}
        found[f"{name}/psnr_mean_frame"] = baseline.result()["psnr"]
        found[f"{name}/psnr_image"] = image.result()["psnr"]
        if read:
            found |= {f"{name}/read_{attribute}": part for attribute, part in accuracy(asked, read).items()}
    return found


def restored(model, target: torch.Tensor) -> torch.Tensor:
    """`(B, 3, T, H, W)` in [-1, 1]: through the most likely latents and back."""
    return model.decode(model.encode(target).latent_dist.mode()).sample.clamp(-1, 1)


def as_clips(batch) -> torch.Tensor:
    """What a data set gives, as `(B, 3, T, H, W)` in [-1, 1]."""
    return from_uint8(getattr(batch, "pixels", batch))


def has_film() -> bool:
    """Whether the bundled film is there."""
    try:
        return bool(clips())
    except DataError:
        return False
