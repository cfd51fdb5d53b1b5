"""How good `sprites-image` is: what the reader of the world sees in its pictures, beside what luck would give.

Every picture is drawn from a test caption: of `large` objects before a still camera, of `any` object of the world, or
of a `held_out` shape, which never had its colour in training. `shuffled/` reads the same pictures against the captions
of other pictures.
"""

from collections.abc import Callable

from common.data.sprites import caption
from common.evaluation.sprite_reader import accuracy, read_sprites
from common.zoo.settings import pick_setting
from common.zoo.sprites_image.recipe import JUDGED, KINDS, asked, generate

SETTINGS = {"small": 16, "full": 384}  # setting -> pictures of each kind
BATCH = 32


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card: names such as `large/shape` and `shuffled/large/shape`, parts from 0 to 1.

    Args:
        model: a `UNet2DConditionModel`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    num_pictures, found, done = pick_setting(SETTINGS, setting), {}, 0
    for kind in KINDS:
        scenes, read = asked(kind, num_pictures), []
        for start in range(0, num_pictures, BATCH):
            chosen = scenes[start : start + BATCH]
            pictures = generate(model, [caption(scene) for scene in chosen], seed=start)
            read += read_sprites(pictures[:, :, None].cpu())
            done += len(chosen)
            if progress is not None:
                progress(done / num_pictures / len(KINDS))
        words = [scene.words for scene in scenes]
        for side, due in (("", words), ("shuffled/", words[1:] + words[:1])):
            right = accuracy(due, read)
            found |= {f"{side}{kind}/{name}": right[name] for name in JUDGED}
    return found
