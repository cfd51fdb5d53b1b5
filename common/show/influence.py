"""Maps of who moves whom in time, drawn: see `common.evaluation.causality`."""

from collections.abc import Mapping

import torch


def draw_influence(maps: Mapping[str, torch.Tensor], what: str, *, width: float = 3.1):
    """One map per name, side by side. A row is the frame that was changed, a column what moved; white is exactly 0.

    Args:
        maps: title to `(T, T')`, the largest change in each place when each frame is changed.
        what: what the columns are, such as "latent that moved".
        width: of one map, in inches.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt
    from matplotlib.colors import LogNorm

    size = (width * len(maps) + 0.6, 3.1)
    figure, axes = plt.subplots(1, len(maps), figsize=size, layout="constrained", squeeze=False)
    norm = LogNorm(1e-4, max(moved.max().item() for moved in maps.values()))
    for axis, (name, moved) in zip(axes[0], maps.items()):
        shown = moved.clamp(min=2e-4).where(moved > 0, torch.nan).numpy()
        image = axis.imshow(shown, norm=norm, cmap="viridis_r", aspect="auto", interpolation="nearest")
        axis.set(xlabel=what, xticks=range(0, moved.shape[1], 1 if moved.shape[1] < 10 else 4))
        axis.set(yticks=range(0, len(moved), 4))
        axis.set_title(name, fontsize=10)
    axes[0, 0].set_ylabel("frame that was changed")
    figure.colorbar(image, ax=axes[0, -1], label="largest change")
    plt.close(figure)
    return figure
