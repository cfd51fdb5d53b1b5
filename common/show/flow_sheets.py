"""Film and its optical flow on one sheet, and curves of what a method of flow sees."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from einops import rearrange

from common.show.picture import Picture
from common.show.sheets import contact_sheet
from common.video import clip_to_frames

WIDTHS = {2: 210, 3: 190, 4: 160, 5: 150}  # columns of a sheet -> pixels of each


def picture(image: torch.Tensor) -> np.ndarray:
    """The first picture of a batch `(B, 3, H, W)` in [-1, 1], as uint8 `(H, W, 3)`."""
    return clip_to_frames(image[0, :, None])[0]


def painted(flow: torch.Tensor, max_flow: float, paint: Callable) -> np.ndarray:
    """The first flow of a batch in colour, uint8 `(H, W, 3)`, with the wheel as a key in the lower right corner.

    Args:
        flow: `(B, 2, H, W)`, in pixels per frame.
        max_flow: length in full colour.
        paint: `common.show.flow_to_color`, or one like it.
    """
    out, size = paint(flow[0], max_flow=max_flow).copy(), flow.shape[-2] // 4
    away = torch.linspace(-1, 1, size)
    wheel = torch.stack([away.expand(size, size), away[:, None].expand(size, size)])  # points outwards
    disc = (wheel.norm(dim=0) <= 1).numpy()
    out[-size:, -size:][disc] = paint(wheel, max_flow=1)[disc]
    return out


def flow_rows(images: Mapping[str, torch.Tensor], flows: Mapping[str, Mapping], paint: Callable) -> Picture:
    """One row per picture: the picture, then its flow by each method, all flows of a row on one scale.

    Args:
        images: name to `(1, 3, H, W)` in [-1, 1].
        flows: name to method to `(1, 2, H, W)`.
        paint: `common.show.flow_to_color`, or one like it.
    """
    cells, labels = [], []
    for name, image in images.items():
        longest = [flow.norm(dim=1).flatten().quantile(0.99).item() for flow in flows[name].values()]
        max_flow = float(np.median(longest))
        cells += [picture(image)] + [painted(flow, max_flow, paint) for flow in flows[name].values()]
        labels += [name] + [f"{method} · full colour: {max_flow:.0f} px" for method in flows[name]]
    columns = len(cells) // len(images)
    return contact_sheet(np.stack(cells), columns=columns, width=WIDTHS.get(columns, 130), labels=labels)


def plain_motions(height: int, width: int) -> dict[str, torch.Tensor]:
    """Four flows `(2, H, W)` of length about 1 that tell a wheel of colours: outwards, a turn, a zoom, a shift."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1.5, 1.5, width), indexing="ij")
    return {
        "the wheel itself: outwards": torch.stack([x, y]) * (torch.hypot(x, y) <= 1),
        "turned clockwise": torch.stack([-y, x]),
        "zoomed into": torch.stack([x, y]),
        "shifted to the upper left": torch.stack([torch.full_like(x, -0.8), torch.full_like(y, -0.6)]),
    }


def beside_its_flow(clip: torch.Tensor, compute: Callable, paint: Callable, *, max_flow: float) -> torch.Tensor:
    """A clip `(3, T, H, W)` in [-1, 1] with its flow in colour on its right, `(3, T - 1, H, 2 W)`.

    Args:
        clip: the film.
        compute: `compute(first, second)` gives the flow `(1, 2, H, W)` of two frames `(1, 3, H, W)`.
        paint: `common.show.flow_to_color`, or one like it.
        max_flow: length in full colour, in pixels per frame.
    """
    now, following = clip[:, :-1].transpose(0, 1), clip[:, 1:].transpose(0, 1)  # (T - 1, 3, H, W) each
    flow = torch.cat([compute(a[None], b[None]) for a, b in zip(now, following)])
    colours = rearrange(torch.from_numpy(paint(flow, max_flow=max_flow)), "t h w c -> t c h w")
    return torch.cat([now, colours.float() / 127.5 - 1], dim=-1).transpose(0, 1)


def draw_reach(distances, measured, title: str):
    """Measured over true motion along x: the mean over the pixels, and a band that holds most of them.

    Args:
        distances: the true motions, in pixels.
        measured: for each of them a tensor of what the pixels say, any shape.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    middle = np.array([float(u.mean()) for u in measured])
    spread = np.array([float(u.std()) for u in measured])
    figure, axis = plt.subplots(figsize=(7, 3.6), layout="constrained")
    axis.plot(distances, distances, color="0.6", linestyle=":", label="true motion")
    axis.fill_between(distances, middle - spread, middle + spread, color="#1f6f8b", alpha=0.25, label="most pixels")
    axis.plot(distances, middle, color="#1f6f8b", marker="o", markersize=3, label="measured, mean")
    axis.set(xlabel="true motion to the right (px)", ylabel="measured (px)")
    axis.set_title(title)
    axis.legend(fontsize=9, loc="upper left")
    plt.close(figure)
    return figure
