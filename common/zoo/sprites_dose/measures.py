"""How good `sprites-dose` is: whether object and camera go as fast as they are told.

Pictures of test clips, each at six doses. `object/` and `camera/`: only that thing moves in the caption, and the
other's dose is 0. `spearman`, `slope` and `error` are those of `dose_response`. `both/`: both move, one dose changes
and the other stays in the middle; `object` and `camera` are the factors of the median speed from the lowest to the
highest dose. `still`: with both doses at 0 and a caption in which nothing moves, the part of the clips in which nothing
goes faster than 0.03 heights per second. `first_frame`: the PSNR of the first frame, in dB. `world/`: the same read
from clips of the world that go as fast as asked.
"""

from collections.abc import Callable

import torch

from common.data.sprites.render import render
from common.evaluation.image import psnr
from common.evaluation.motion_dose import dose_response
from common.zoo.settings import pick_setting
from common.zoo.sprites_dose.clips import NUM_FRAMES, ManySpeeds, speeds_of, with_speeds
from common.zoo.sprites_dose.recipe import animate, asked, measured_speeds
from common.zoo.sprites_dose.study import DOSES, THINGS, response

SETTINGS = {"small": (1, DOSES[::2]), "full": (24, DOSES)}  # setting -> pictures, doses
SLOW = 0.03  # heights per second: what counts as still


@torch.no_grad()
def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: an `InflatedUNet` that is told five numbers.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    (num_pictures, doses), found = pick_setting(SETTINGS, setting), {}
    for done, thing in enumerate(THINGS):
        curve = response(model, thing, num_pictures, doses)
        found |= named(thing, curve["asked"], curve[thing])
        found |= named(f"world/{thing}", curve["asked"], world(thing, num_pictures, doses))
        both = response(model, "both", num_pictures, doses, which=done)
        for name in THINGS:
            slow, fast = both[name][:, 0].median(), both[name][:, -1].median()
            found[f"both/{thing}_dose/{name}"] = float(fast / slow.clamp(min=0.02))
        if progress is not None:
            progress((done + 1) / 3)
    clips = still_clips(num_pictures)
    made = animate(model, clips, torch.zeros(num_pictures, 2)).cpu()
    found["still"] = float((measured_speeds(made).nan_to_num(0.0) < SLOW).all(dim=1).float().mean())
    pairs = zip(made[:, :, 0], clips.clips()[:, :, 0])
    return found | {"first_frame": sum(float(psnr(a, b, data_range=2)) for a, b in pairs) / num_pictures}


def named(name: str, told: torch.Tensor, speeds: torch.Tensor) -> dict[str, float]:
    """A row of the card."""
    return {f"{name}/{key}": value for key, value in dose_response(told, speeds)._asdict().items()}


def world(thing: str, num_pictures: int, doses) -> torch.Tensor:
    """The speeds `(P, K)` that the reader sees in clips of the world that go as fast as asked."""
    scenes, which, columns = asked(num_pictures, thing).scenes, THINGS.index(thing), []
    for dose in doses:
        speed = float(speeds_of(torch.full((1, 2), float(dose)))[0, which])
        clips = render([with_speeds(scene, speed, speed) for scene in scenes], NUM_FRAMES).clips()
        columns.append(measured_speeds(clips)[:, which].nan_to_num(0.0))
    return torch.stack(columns, dim=1)


def still_clips(num_pictures: int):
    """Test clips in which nothing moves."""
    scenes = ManySpeeds("test").scenes(range(4, 4 + 8 * num_pictures, 8))
    return render(scenes, NUM_FRAMES)
