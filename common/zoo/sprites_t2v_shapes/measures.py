"""How good `sprites-t2v-shapes` is in the square and in three shapes that its training never had.

Every prompt has a clip, with the seed that is its number, drawn in ten steps and read by the reader of the world.
`unscaled/` has the same weights with the places of the base: a negative control.
"""

from collections.abc import Callable

from common.zoo.settings import pick_setting
from common.zoo.shapes_study import SQUARE, count_right, name_of
from common.zoo.sprites_t2v_shapes.clips import UNSEEN

SETTINGS = {"small": 2, "full": 64}  # setting -> prompts of each shape


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `ShapedVideoDiT`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        Names such as `17x48x80/all`: the part of the clips of that shape in which all is as asked, and likewise
        `size`, `motion` and `shape`.

    Raises:
        ValueError: there is no such setting.
    """
    num_clips, done, found = pick_setting(SETTINGS, setting), 0, {}
    rows = [("", shape) for shape in (SQUARE, *UNSEEN)] + [("unscaled/", shape) for shape in UNSEEN[:2]]

    def advance(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done / (num_clips * len(rows)))

    was = model.config.scaled
    for side, shape in rows:
        try:
            model.register_to_config(scaled=was and not side)
            counts = count_right(model, shape, num_clips, advance=advance)
        finally:
            model.register_to_config(scaled=was)
        found |= {f"{side}{name_of(shape)}/{name}": right / total for name, (right, total) in counts.items()}
    return found
