"""Two frames and the exact flow between them: a smooth texture, known at every point, that moves as a formula says.

No picture is resampled. Each frame evaluates the texture where its pixels were, so that motions of any fraction of a
pixel are exact, and what is hidden or leaves the picture is known too.
"""

import math
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Motion:
    """A motion of the plane: turned and zoomed about the middle of the picture, then shifted.

    Attributes:
        shift: `(x, y)` in pixels, right and down.
        turn: degrees, clockwise on screen.
        zoom: factor; above 1 everything grows.
    """

    shift: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    zoom: float = 1.0

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where a point goes; coordinates are counted from the middle of the picture."""
        cos, sin = self.zoom * math.cos(math.radians(self.turn)), self.zoom * math.sin(math.radians(self.turn))
        return cos * x - sin * y + self.shift[0], sin * x + cos * y + self.shift[1]

    def backward(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Where a point comes from."""
        x, y = x - self.shift[0], y - self.shift[1]
        cos, sin = math.cos(math.radians(self.turn)) / self.zoom, math.sin(math.radians(self.turn)) / self.zoom
        return cos * x + sin * y, cos * y - sin * x


@dataclass(frozen=True)
class FlowScene:
    """Two frames and what truly moves between them.

    Attributes:
        first, second: `(1, C, H, W)` in [-1, 1], frames t and t + 1.
        flow: `(1, 2, H, W)`, x then y, in pixels per frame: the forward flow.
        visible: bool `(1, H, W)`: pixels of the first frame that can still be seen in the second.
    """

    first: torch.Tensor
    second: torch.Tensor
    flow: torch.Tensor
    visible: torch.Tensor


def flow_scene(
    height: int,
    width: int,
    motion: Motion,
    *,
    disc: Motion | None = None,
    radius: float | None = None,
    finest: float = 8.0,
    generator: torch.Generator | None = None,
) -> FlowScene:
    """A textured plane that moves, and perhaps a disc of another texture that moves before it.

    Args:
        height, width: of the frames.
        motion: of the plane.
        disc: the motion of the disc, which starts in the middle; None for no disc.
        radius: of the disc in pixels, a quarter of the shorter side if None.
        finest: the shortest wavelength in the textures, in pixels.
        generator: draws the textures.
    """
    y, x = torch.meshgrid(
        torch.arange(height, dtype=torch.float64) - (height - 1) / 2,
        torch.arange(width, dtype=torch.float64) - (width - 1) / 2,
        indexing="ij",
    )
    plane = _Texture(finest, generator)
    first, second = plane(x, y), plane(*motion.backward(x, y))
    to_x, to_y = motion.forward(x, y)
    visible = (to_x.abs() <= (width - 1) / 2) & (to_y.abs() <= (height - 1) / 2)
    if disc is not None:
        texture, radius = _Texture(finest, generator), min(height, width) / 4 if radius is None else radius
        was_disc, becomes_disc = torch.hypot(x, y) <= radius, torch.hypot(*disc.backward(x, y)) <= radius
        first = torch.where(was_disc, texture(x, y), first)
        second = torch.where(becomes_disc, texture(*disc.backward(x, y)), second)
        hidden = torch.hypot(*disc.backward(to_x, to_y)) <= radius  # the disc stands where the plane's point went
        disc_x, disc_y = disc.forward(x, y)
        disc_visible = (disc_x.abs() <= (width - 1) / 2) & (disc_y.abs() <= (height - 1) / 2)
        visible = torch.where(was_disc, disc_visible, visible & ~hidden)
        to_x, to_y = torch.where(was_disc, disc_x, to_x), torch.where(was_disc, disc_y, to_y)
    flow = torch.stack([to_x - x, to_y - y])
    return FlowScene(first.float()[None], second.float()[None], flow.float()[None], visible[None])


def exact_scenes(height: int, width: int, *, largest: float = 4.0, seed: int = 0) -> dict[str, FlowScene]:
    """Five scenes whose motion reaches `largest` pixels and no more: shifts, a turn, a zoom, a disc before a plane."""
    corner = math.hypot(height - 1, width - 1) / 2
    degrees = math.degrees(2 * math.asin(min(1.0, largest / (2 * corner))))
    motions = {
        "shift by less than a pixel": (Motion(shift=(0.6, -0.35)), None),
        "shift": (Motion(shift=(0.8 * largest, -0.6 * largest)), None),
        "turn": (Motion(turn=degrees), None),
        "zoom": (Motion(zoom=1 + largest / corner), None),
        "disc before a plane": (
            Motion(shift=(-0.3 * largest, 0.2 * largest)),
            Motion(shift=(0.8 * largest, 0.4 * largest)),
        ),
    }
    generator = torch.Generator().manual_seed(seed)
    return {
        name: flow_scene(height, width, motion, disc=disc, generator=generator)
        for name, (motion, disc) in motions.items()
    }


class _Texture:
    """A sum of waves of many lengths and directions, scaled to stay in [-1, 1]: a picture known at every point."""

    def __init__(self, finest: float, generator: torch.Generator | None, num_waves: int = 48, num_channels: int = 3):
        length = finest * 5 ** torch.rand(num_waves, generator=generator, dtype=torch.float64)  # to 5 times as long
        direction = 2 * math.pi * torch.rand(num_waves, generator=generator, dtype=torch.float64)
        self.x, self.y = 2 * math.pi / length * direction.cos(), 2 * math.pi / length * direction.sin()
        self.phase = 2 * math.pi * torch.rand(num_channels, num_waves, generator=generator, dtype=torch.float64)

    def __call__(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Colours `(C, H, W)` at the points `x`, `y`, `(H, W)` each."""
        angle = self.x[:, None, None] * x + self.y[:, None, None] * y  # (N, H, W), which all channels share:
        waves = torch.einsum("cn,nhw->chw", self.phase.cos(), angle.cos())  # cos(a + b) = cos a cos b - sin a sin b
        waves -= torch.einsum("cn,nhw->chw", self.phase.sin(), angle.sin())  # (C, H, W)
        return torch.tanh(waves * 0.8 / math.sqrt(len(self.x) / 2))
