"""A scene in words: what it shows, as the world of sprites says it, and what the camera does. Speeds are not named."""

from collections.abc import Callable
from itertools import permutations

from common.data.diorama.scenes import DioramaScene
from common.data.sprites.captions import compose
from common.data.sprites.dice import Dice

MOVE_NAMES = {
    ("truck", "left"): ("trucks left", "slides left"),
    ("truck", "right"): ("trucks right", "slides right"),
    ("dolly", "in"): ("dollies in", "pushes in"),
    ("dolly", "out"): ("dollies out", "pulls out"),
    ("pan", "left"): ("pans left", "turns left"),
    ("pan", "right"): ("pans right", "turns right"),
    ("tilt", "up"): ("tilts up", "looks up"),
    ("tilt", "down"): ("tilts down", "looks down"),
    ("zoom", "in"): ("zooms in", "narrows its view"),
    ("zoom", "out"): ("zooms out", "widens its view"),
    ("orbit", "left"): ("orbits left", "circles to the left"),
    ("orbit", "right"): ("orbits right", "circles to the right"),
}
STILL_NAMES = ("does not move", "stands still")


def caption(scene: DioramaScene, variant: int = 0) -> str:
    """A scene in words, such as "a large red star stands still over blue dots, the camera trucks left and zooms in".

    Args:
        scene: what to describe.
        variant: 0 for the plainest words; any other number chooses among all paraphrases.

    Raises:
        ValueError: `variant` is negative.
    """
    if variant < 0:
        raise ValueError(f"variant is not negative, got {variant}")
    choose: Callable = (lambda options: options[0]) if variant == 0 else Dice(variant).choice
    if scene.camera.words:
        moves = choose(list(permutations(scene.camera.words)))
        camera = " and ".join(choose(MOVE_NAMES[move]) for move in moves)
    else:
        camera = choose(STILL_NAMES)
    return compose(scene.sprites.words, choose, {"still": (f"the camera {camera}",)})
