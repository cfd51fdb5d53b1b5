"""How good `mini-pairs` is: the shares of lab 06.4, on captions that it was trained on and on pairs held out."""

from collections.abc import Callable

from common.data.mini.pairs import MiniPairs
from common.evaluation.pairs import pair_accuracy
from common.zoo.mini_pairs.recipe import ARM
from common.zoo.pair_arm import generate_arm
from common.zoo.settings import pick_setting

SETTINGS = {"small": 24, "full": 192}  # pictures of each split
SPLITS = ("test", "held_out")


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """`pair_accuracy` of both splits; `shuffled/…` reads the pictures of `test` against the next one's caption.

    Raises:
        ValueError: there is no such setting.
    """
    num_pictures = pick_setting(SETTINGS, setting)
    found: dict[str, float] = {}
    for done, split in enumerate(SPLITS, start=1):
        asked = MiniPairs(split).words(range(num_pictures))
        pictures = generate_arm(model, ARM, asked)
        against = {split: asked} | ({"shuffled": asked[1:] + asked[:1]} if split == "test" else {})
        for name, words in against.items():
            found |= {f"{name}/{key}": value for key, value in pair_accuracy(words, pictures).items()}
        if progress:
            progress(done / len(SPLITS))
    return found
