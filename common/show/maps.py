"""Small matrices as pictures, side by side: costs, counts, confusions."""

from collections.abc import Mapping, Sequence

import torch


def draw_maps(
    maps: Mapping[str, torch.Tensor],
    *,
    columns: Sequence[str] | None = None,
    rows: Sequence[str] | None = None,
    mark: tuple[float, float] | None = None,
    colorbar: str | None = None,
    most: float | None = None,
    cmap: str = "gray",
    size: tuple[float, float] = (2.6, 2.7),
    **axis_settings,
):
    """One picture per matrix; row 0 is at the top.

    Args:
        maps: title to a matrix `(rows, columns)`.
        columns: names below the columns, rows: names beside the rows of the first picture; numbers counted from the
            middle if None.
        mark: a column and a row to put a cross on, in the numbers of the axes.
        colorbar: what the values are, written at a bar of colours. All pictures then share one scale from 0.
        most: the largest value of that scale; the largest of all maps if None.
        cmap: matplotlib's name of the colours.
        size: of one picture, inches.
        axis_settings: what `Axes.set` takes; `ylabel` goes to the first picture alone.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    width, height = size
    figure, axes = plt.subplots(1, len(maps), figsize=(width * len(maps), height), layout="constrained", squeeze=False)
    scale = {"vmin": 0, "vmax": most or max(float(values.max()) for values in maps.values())} if colorbar else {}
    ylabel = axis_settings.pop("ylabel", "")
    for axis, (title, values) in zip(axes[0], maps.items()):
        down, across = (length / 2 for length in values.shape)
        extent = None if columns or rows else (-across, across, down, -down)
        image = axis.imshow(torch.as_tensor(values).numpy(), cmap=cmap, aspect="auto", extent=extent, **scale)
        axis.set(**axis_settings)
        axis.set_title(title, fontsize=10)
        if mark:
            axis.plot(*mark, marker="x", color="#d1495b", markersize=9, markeredgewidth=2)
        if columns:
            axis.set_xticks(range(len(columns)), columns)
        if rows:
            axis.set_yticks(range(len(rows)), rows if axis is axes[0, 0] else [""] * len(rows), fontsize=8)
    axes[0, 0].set_ylabel(ylabel)
    if colorbar:
        figure.colorbar(image, ax=axes, label=colorbar)
    plt.close(figure)
    return figure
