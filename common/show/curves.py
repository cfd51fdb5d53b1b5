"""Named curves in one figure, clouds of points, bands over several runs: the plots that studies share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

COLORS = ("#1f6f8b", "#b3541e", "#66a182", "#edae49", "#7a5195", "0.55")


def draw_curves(
    curves: Mapping[str, Sequence[float] | tuple[Sequence[float], Sequence[float]]],
    title: str,
    *,
    colors: Sequence[str] = COLORS,
    size: tuple[float, float] = (7.2, 2.9),
    ticks: Sequence[float] | None = None,
    legend: str | None = "best",
    marker: str | None = "o",
    **axis_settings,
):
    """Curves, each with its name in the legend.

    Args:
        curves: name to values (over 0, 1, 2, ...), or to a tuple of places and values.
        title: of the figure.
        colors: one per curve, begun again where there are more curves.
        size: of the figure, inches.
        ticks: where the horizontal axis has numbers; chosen by matplotlib if None.
        legend: its place, as matplotlib names it, or None for no legend.
        marker: at each point, as matplotlib names it, or None.
        axis_settings: what `Axes.set` takes: `xlabel`, `ylabel`, `xscale`, `ylim`, ...

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=size, layout="constrained")
    for number, (name, curve) in enumerate(curves.items()):
        places, values = curve if isinstance(curve, tuple) else (range(len(curve)), curve)
        axis.plot(places, values, marker=marker, markersize=4, color=colors[number % len(colors)], label=name)
    axis.set(**axis_settings)
    axis.set_title(title, fontsize=10)
    if ticks is not None:
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
    if legend:
        axis.legend(fontsize=9, loc=legend)
    plt.close(figure)
    return figure


def draw_trends(
    places: torch.Tensor,
    panels: Mapping[str, tuple[str, Mapping[str, torch.Tensor]]],
    xlabel: str,
    *,
    num_bins: int = 8,
    colors: Sequence[str] = COLORS,
    size: tuple[float, float] = (8, 3.2),
):
    """Clouds of points over a logarithmic axis, one panel per measure, and through each cloud the means of equal bins.

    Args:
        places: `(N,)`, above 0.
        panels: title of the panel to (what its vertical axis is, name to values `(N,)`).
        xlabel: what `places` are.
        num_bins: bins of equally many points.
        colors: one per name.
        size: of the figure, inches.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=size, layout="constrained", squeeze=False)
    bins = places.argsort().tensor_split(num_bins)
    at = [places[members].median().item() for members in bins]
    for axis, (title, (ylabel, named)) in zip(axes[0], panels.items()):
        for number, (name, values) in enumerate(named.items()):
            color = colors[number % len(colors)]
            axis.scatter(places, values, s=5, alpha=0.25, color=color)
            axis.plot(at, [values[members].mean().item() for members in bins], color=color, label=name)
        axis.set(xscale="log", xlabel=xlabel, ylabel=ylabel, title=title)
    axes[0, 0].legend(fontsize=9)
    plt.close(figure)
    return figure


@dataclass(frozen=True)
class Bands:
    """One panel of `draw_bands`.

    Attributes:
        ylabel: of the vertical axis.
        runs: name to (places, values `(runs, places)`): the mean is drawn, and a band from the worst run to the best.
        single: name to the places and values of one run more, dotted in the colour of its name.
        level: a name and a height, dashed.
    """

    ylabel: str
    runs: Mapping[str, tuple[Sequence[float], Sequence[Sequence[float]]]]
    single: Mapping[str, tuple[Sequence[float], Sequence[float]]] = field(default_factory=dict)
    level: tuple[str, float] | None = None


def draw_bands(
    panels: Mapping[str, Bands], xlabel: str, *, colors: Sequence[str] = COLORS, size: tuple[float, float] = (10, 4.4)
):
    """Studies with several runs per name: means, bands from the worst run to the best, all legends below.

    Args:
        panels: title to what is in the panel. All have the same names.
        xlabel: of the horizontal axes.
        colors: one per name, begun again where there are more.
        size: of the figure, inches.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(panels), figsize=size, layout="constrained", squeeze=False)
    for axis, (title, panel) in zip(axes[0], panels.items()):
        for number, (name, (places, values)) in enumerate(panel.runs.items()):
            color, found = colors[number % len(colors)], torch.as_tensor(values).double()
            axis.fill_between(places, found.amin(dim=0), found.amax(dim=0), color=color, alpha=0.2)
            axis.plot(places, found.mean(dim=0), color=color, label=f"{name}, mean of {len(found)}")
            if name in panel.single:
                axis.plot(*panel.single[name], color=color, linestyle=":", label=f"{name}, your run")
        if panel.level:
            axis.axhline(panel.level[1], color="0.6", linestyle="--", label=panel.level[0])
        axis.set(xlabel=xlabel, ylabel=panel.ylabel, title=title, ylim=(0, None))
    figure.legend(*axes[0, -1].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    plt.close(figure)
    return figure
