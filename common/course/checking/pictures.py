"""Target, yours and their difference, as a small PNG in base64: clips as frames, series of numbers as curves."""

import base64
import io

MOST_BYTES = 30_000  # a lab has a check per exercise, and its notebook stays under 600 KB
MOST_VALUES = 50_000_000  # of one clip; drawing must not take longer than testing
WIDTHS = (160, 128, 96, 72, 48)  # of one frame, tried in this order
NUM_COLOURS = 96


def picture(target, yours, about: str = "") -> str:
    """The comparison of two clips or frame stacks, at the largest size that a notebook can store, or of two series.

    Args:
        target: `(C, T, H, W)` in [-1, 1], uint8 frames `(T, H, W, C)`, or a series of numbers `(N,)`.
        yours: what is compared with it.
        about: what the numbers of a series are, as the plot's title.

    Raises:
        ValueError: they are neither clips nor series, or too large, or the picture fits at no size.
    """
    if _is_series(target) and _is_series(yours):
        return _curves(target, yours, about)
    from common.show import compare

    for clip in (target, yours):
        values = clip.numel() if hasattr(clip, "numel") else clip.size
        if values > MOST_VALUES:
            raise ValueError(f"a clip of {values} values is too large to draw")
    for width in WIDTHS:
        buffer = io.BytesIO()
        compare(target, yours, width=width).convert("RGB").quantize(NUM_COLOURS).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= MOST_BYTES:
            return base64.b64encode(buffer.getvalue()).decode()
    raise ValueError(f"a picture of {buffer.tell()} bytes is too large to store")


def _is_series(values) -> bool:
    is_flat = isinstance(values, list | tuple) or getattr(values, "ndim", None) == 1
    return is_flat and len(values) > 1


def _curves(target, yours, about: str) -> str:
    """Two series of numbers in one small plot: where they agree, yours covers the target."""
    from matplotlib.figure import Figure  # without pyplot: the learner's own figures stay as they are
    from PIL import Image

    def numbers(values):
        return [float(value) for value in values]

    figure = Figure(figsize=(5.6, 2.0), dpi=80, layout="constrained")
    axis = figure.add_subplot()
    axis.plot(numbers(target), color="0.55", linewidth=4, label="target")
    axis.plot(numbers(yours), color="#b3541e", linewidth=1.4, marker=".", label="yours")
    axis.legend(fontsize=8, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    axis.set_title(about or "value by value: yours should cover the target", fontsize=8.5, loc="left")
    axis.tick_params(labelsize=8)
    axis.spines[["top", "right"]].set_visible(False)
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png")
    Image.open(drawn).convert("RGB").quantize(24).save(small, "PNG", optimize=True)
    return base64.b64encode(small.getvalue()).decode()
