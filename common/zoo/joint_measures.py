"""The numbers on the cards of lab 04.2's arms: does a clip, or a picture, show what its caption asked for?"""

from collections.abc import Callable

import numpy as np
import torch

from common.data.mini.joint import CLIP_FPS, JointSprites
from common.data.sprites import parse
from common.evaluation.forgetting import forgetting
from common.evaluation.sprite_reader import SceneReading, agreement, read_sprites
from common.models.joint_dit import JointDiT
from common.zoo.joint_arm import generate
from common.zoo.settings import pick_setting

SETTINGS = {"small": 8, "full": 144}  # captions of each kind
BASE = "joint-images"
CLIPS = {"known": "clips", "new": "new clips"}
PICTURES = {"pictures": "pictures", "new_pictures": "new pictures"}
READ = ("color", "size", "background_color", "num_objects")


AXES = {"left": (0, -1), "right": (0, 1), "up": (1, -1), "down": (1, 1)}  # of a place (x, y), and the sign


def moves_as_asked(caption: str, seen: SceneReading) -> bool:
    """Whether a clip's one object goes where its caption says, in every step and more than aside.

    The reader's own `motion` asks for a straight line at an even speed. That is much to ask of four frames. Frames that
    have nothing to do with each other pass about once in thirty times.

    Args:
        caption: it says left, right, up or down.
        seen: what was read from the clip.
    """
    if len(seen.objects) != 1:
        return False
    places = np.asarray(seen.objects[0].positions)  # (T, 2), not a number where it is not seen
    axis, sign = AXES[parse(caption).objects[0].motion]
    steps = sign * np.diff(places[:, axis])
    aside = abs(places[-1, 1 - axis] - places[0, 1 - axis])
    return bool((steps > 0).all() and steps.sum() > aside)


def right_in(model, kind: str, num_captions: int) -> dict[str, torch.Tensor]:
    """What is as asked in samples for the first test captions of a kind.

    Args:
        model: a `JointDiT`.
        kind: of `JointSprites`.
        num_captions: N.

    Returns:
        `color`, `size`, `background_color` and `num_objects`, bool `(N,)` each, and `all`, which is all four of
        them. Of clips also `moves`, as `moves_as_asked`, which is not part of `all`.
    """
    samples = JointSprites(kind, "test")
    captions = samples.captions(range(num_captions))
    seen = read_sprites(generate(model, captions, samples.num_frames), fps=CLIP_FPS)
    rows = [agreement(text, one) for text, one in zip(captions, seen)]
    found = {name: torch.tensor([row[name] for row in rows]) for name in READ}
    found["all"] = torch.stack([*found.values()]).all(dim=0)
    if samples.num_frames > 1:
        found["moves"] = torch.tensor([moves_as_asked(*pair) for pair in zip(captions, seen)])
    return found


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of a card.

    Args:
        model: a `JointDiT`.
        setting: a name of `SETTINGS`.
        progress: called with the part that is done.

    Returns:
        Shares: `known/…` of clips in colours that clips have shown, `new/…` of clips in colours that pictures alone
        have shown, `pictures/…` and `new_pictures/…` of pictures likewise. `…/lost`, `…/low` and `…/high`: what of a
        kind of pictures was forgotten since `joint-images`, and its 95 % interval.

    Raises:
        ValueError: there is no such setting.
    """
    num_captions = pick_setting(SETTINGS, setting)
    base = JointDiT.from_pretrained(BASE).float().eval()
    numbers: dict[str, float] = {}
    for done, (name, kind) in enumerate((CLIPS | PICTURES).items(), start=1):
        found = right_in(model, kind, num_captions)
        numbers |= {f"{name}/{key}": value.double().mean().item() for key, value in found.items()}
        if name in PICTURES:
            change = forgetting(right_in(base, kind, num_captions)["all"], found["all"])
            numbers |= {f"{name}/lost": change.lost, f"{name}/low": change.interval[0]}
            numbers |= {f"{name}/high": change.interval[1]}
        if progress:
            progress(done / 4)
    return numbers
