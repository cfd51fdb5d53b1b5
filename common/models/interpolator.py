"""A small frame interpolator: two pictures in, the one midway out, by motion found from coarse to fine, then fusion.

Three ideas, each a part of its own. Features are found by the same weights at every scale, so that what is learned on
small motions serves large ones, seen on a smaller picture (FILM, arXiv:2202.04901, sec. 3.1). The motion is that of
the picture *midway*, towards both ends, in steps from the smallest level up; at each step all small motions through a
pixel are compared (BMBC, arXiv:2007.12622). And what one of the pictures hides is taken from the other (Super SloMo,
arXiv:1712.00080, eq. 5).

A fresh model is a block matcher from before the networks: at each level the motions that match best, weighted, then the
mean of both sides. What is trained are features in which the right motion matches best, corrections to it, the masks
and what is added. Convolutions see half the size at most, as pixels in blocks of 2×2; at the full size the flows are
matched once more, by a pixel at most. Where both sides agree nothing is corrected, so that two equal pictures come back
as they are.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from common.flow.between import expected_motion, fuse, matching_cost
from common.flow.gradient import halve
from common.flow.warping import points_inside, warp
from common.models.shipped import Shipped

AGREED = 0.03  # differences well below this, on a range of 2, are noise: there is nothing to correct
SHARPNESS = 100.0  # of a fresh model's choice among motions: costs differ by some hundredths
PRESETS = {
    "ci": {"feature_channels": [8, 16], "hidden_channels": 24, "num_levels": 3},
    "cpu": {"feature_channels": [12, 24], "hidden_channels": 64, "num_levels": 4},
    "gpu": {"feature_channels": [24, 64], "hidden_channels": 160, "num_levels": 5},
}


class FeaturePyramid(nn.Module):
    """Features of a picture at several scales, all by the same two layers.

    Args:
        feature_channels: C0 of the fine layer, C1 of the coarse one.
        num_levels: sizes of the picture, the full one included; each half the one before.
    """

    def __init__(self, feature_channels: Sequence[int], num_levels: int):
        super().__init__()
        fine, coarse = feature_channels
        self.num_levels = num_levels
        self.fine = nn.Conv2d(3, fine, 3, padding=1)  # keeps the size
        self.coarse = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)  # halves it, rounded up

    def forward(self, picture: torch.Tensor) -> list[torch.Tensor]:
        """Features from half the size down to the smallest, the largest first.

        The picture is `halve`d `num_levels - 1` times. The fine layer sees it at every size; the coarse layer sees what
        the fine one made, at every size but the smallest. Both are followed by SiLU. The features of a level are those
        of the fine layer at this size beside those of the coarse layer *from the size above*, which has just halved
        them to this size. So every level describes a pixel in the same way, by what is near it and by what is a little
        further around it, and a motion looks the same at each. The full size itself has no features.

        Args:
            picture: `(B, 3, H, W)`, in the dtype of the layers, in any memory layout.

        Returns:
            A list of `num_levels - 1` tensors `(B, C0 + C1, h, w)`, fine channels first: h and w are half of H and W,
            then a quarter, ..., each time rounded up. Gradients reach both layers and the picture.
        """
        sizes = [picture]
        for _ in range(self.num_levels - 1):
            sizes.append(halve(sizes[-1]))
        fine = [F.silu(self.fine(size)) for size in sizes]  # (B, C0, h, w) at each size
        coarse = [F.silu(self.coarse(features)) for features in fine[:-1]]  # (B, C1, h / 2, w / 2)
        return [torch.cat(pair, dim=1) for pair in zip(fine[1:], coarse)]  # (B, C0 + C1, h, w)


class MotionStep(nn.Module):
    """Corrects the flows of one level: by the motions that match, then by what is learned. One for all levels.

    Args:
        feature_channels: C of the features.
        num_costs: of a pixel.
        hidden_channels: K.
    """

    def __init__(self, feature_channels: int, num_costs: int, hidden_channels: int):
        super().__init__()
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS)))
        self.layers = nn.Sequential(
            nn.Conv2d(2 * feature_channels + num_costs + 4 + hidden_channels, hidden_channels, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(hidden_channels, hidden_channels, 3, padding=1),
            nn.SiLU(),
        )
        self.flows_out = nn.Conv2d(hidden_channels, 4, 3, padding=1)

    def forward(self, before, after, cost, flows, hidden) -> tuple[torch.Tensor, torch.Tensor]:
        """
        Args:
            before: `(B, C, h, w)`, the first picture's features, warped to the middle by the flows so far.
            after: the same of the last picture.
            cost: `(B, num_costs, h, w)` of matching the two.
            flows: `(B, 4, h, w)`: from the middle to the first picture, then to the last, x before y, in pixels here.
            hidden: `(B, K, h, w)`, what the level below knew.

        Returns:
            The flows, corrected, and what this level knows, `(B, K, h, w)`.
        """
        motion = expected_motion(cost, self.log_sharpness.exp())  # (B, 2, h, w), to the last picture
        flows = flows + torch.cat([-motion, motion], dim=1)
        hidden = self.layers(torch.cat([before, after, cost, flows, hidden], dim=1))
        still_off = cost[:, cost.shape[1] // 2, None]  # (B, 1, h, w), of no further motion
        return flows + openness(still_off) * self.flows_out(hidden), hidden


class Refiner(nn.Module):
    """How visible each pixel is on either side, what neither shows, and the last of the flows; on blocks of 2×2 pixels.

    Args:
        hidden_channels: K of the last motion step.
    """

    def __init__(self, hidden_channels: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(6 * 4 + hidden_channels, hidden_channels, 3, padding=1),
            nn.SiLU(),
            nn.Conv2d(hidden_channels, hidden_channels, 3, padding=1),
            nn.SiLU(),
        )
        self.pixels_out = nn.Conv2d(hidden_channels, 9 * 4, 3, padding=1)

    def forward(self, warped_first, warped_last, hidden) -> tuple[torch.Tensor, ...]:
        """
        Args:
            warped_first: `(B, 3, H, W)`, the first picture, warped to the middle; H and W are even.
            warped_last: the same of the last one.
            hidden: `(B, K, H / 2, W / 2)`.

        Returns:
            Visibility in the first picture and in the last, `(B, 1, H, W)` from 0 to 1; what is to be added,
            `(B, 3, H, W)`; and by how much both flows are still off, `(B, 4, H, W)`.
        """
        blocks = F.pixel_unshuffle(torch.cat([warped_first, warped_last], dim=1), 2)  # (B, 24, H / 2, W / 2)
        pixels = F.pixel_shuffle(self.pixels_out(self.layers(torch.cat([blocks, hidden], dim=1))), 2)  # (B, 9, H, W)
        corrections = openness(disagreement(warped_first, warped_last)) * pixels[:, 2:]  # (B, 7, H, W)
        return pixels[:, :1].sigmoid(), pixels[:, 1:2].sigmoid(), corrections[:, :3], corrections[:, 3:]


class Interpolator(Shipped, ModelMixin, ConfigMixin):
    """The picture midway between two. `from_pretrained("film-interpolator")` gives the one that ships with the library.

    Args:
        feature_channels: of the pyramid's fine and coarse layer.
        hidden_channels: width of the motion steps and of the refiner.
        num_levels: sizes of the pictures, the full one included. Motion is looked for at all others.
        radius: of the motions that are compared at each level, in its pixels, to either side.
    """

    @register_to_config
    def __init__(
        self,
        feature_channels: Sequence[int] = (12, 24),
        hidden_channels: int = 64,
        num_levels: int = 4,
        radius: int = 2,
    ):
        super().__init__()
        self.pyramid = FeaturePyramid(feature_channels, num_levels)
        self.motion = MotionStep(sum(feature_channels), (2 * radius + 1) ** 2, hidden_channels)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(SHARPNESS)))
        self.refiner = Refiner(hidden_channels)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: nothing corrected, both sides equally visible, nothing added."""
        for layer in (self.motion.flows_out, self.refiner.pixels_out):
            for parameter in layer.parameters():
                nn.init.zeros_(parameter)

    def forward(self, first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """The picture midway.

        Args:
            first: `(B, 3, H, W)`, in [-1, 1], of any size.
            last: the same shape.

        Returns:
            `(B, 3, H, W)`, about [-1, 1] and not clamped, so that gradients pass.

        Raises:
            ValueError: the pictures are not `(B, 3, H, W)` of one shape.
        """
        return self.explain(first, last)["middle"]

    def explain(self, first: torch.Tensor, last: torch.Tensor) -> dict[str, torch.Tensor]:
        """As `forward`, with what led there.

        Returns:
            "middle" `(B, 3, H, W)`; "warped_first", "warped_last" of the same shape; "visible_first", "visible_last"
            `(B, 1, H, W)`; "to_first", "to_last" `(B, 2, H, W)`, the flows from the middle.
        """
        height, width = first.shape[-2:]
        first, last = self._padded(first, last)
        flows, hidden = self.find_motion(first, last)  # at half the size
        flows = self.match_pixels(first, last, enlarged(flows, first.shape[-2:]))  # (B, 4, H, W)
        warped = warp(first, flows[:, :2]), warp(last, flows[:, 2:])
        seen_first, seen_last, added, still_off = self.refiner(*warped, hidden)
        to_first, to_last = (flows + still_off).chunk(2, dim=1)  # (B, 2, H, W)
        parts = {"to_first": to_first, "to_last": to_last}
        parts |= {"warped_first": warp(first, to_first), "warped_last": warp(last, to_last)}
        parts |= {
            "visible_first": seen_first * points_inside(to_first),
            "visible_last": seen_last * points_inside(to_last),
        }
        names = ("warped_first", "warped_last", "visible_first", "visible_last")
        parts["middle"] = fuse(*(parts[name] for name in names)) + added
        return {name: part[..., :height, :width] for name, part in parts.items()}

    def find_motion(self, first: torch.Tensor, last: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The flows from the middle to both pictures, from coarse to fine.

        Both pictures go through the pyramid. At the smallest level flows and hidden state are zero; at every other they
        are those of the level below, at its size: the flows `enlarged` (their vectors made longer too), the hidden
        state resized by bilinear interpolation. Then both features are warped to the middle by the flows so far,
        `matching_cost` compares them, and `self.motion`, called once per level, corrects the flows and makes a new
        hidden state. Nothing is detached on the way.

        Args:
            first: `(B, 3, H, W)`, H and W multiples of `2^(num_levels - 1)`, in the dtype of the model.
            last: the same shape.

        Returns:
            Flows `(B, 4, H / 2, W / 2)`, to the first picture, then to the last, in pixels of that size; and the hidden
            state `(B, K, H / 2, W / 2)` of the last step. Both have the pictures' dtype at every level.
        """
        levels = list(zip(self.pyramid(first), self.pyramid(last)))
        smallest = levels[-1][0]
        flows = smallest.new_zeros(len(smallest), 4, *smallest.shape[-2:])
        hidden = smallest.new_zeros(len(smallest), self.config.hidden_channels, *smallest.shape[-2:])
        for before, after in reversed(levels):
            size = before.shape[-2:]
            flows, hidden = enlarged(flows, size), F.interpolate(hidden, size=size, mode="bilinear")
            before, after = warp(before, flows[:, :2]), warp(after, flows[:, 2:])  # (B, C, h, w), both midway now
            cost = matching_cost(before, after, self.config.radius)  # (B, (2 radius + 1)^2, h, w)
            flows, hidden = self.motion(before, after, cost, flows, hidden)
        return flows, hidden

    def match_pixels(self, first: torch.Tensor, last: torch.Tensor, flows: torch.Tensor) -> torch.Tensor:
        """The flows `(B, 4, H, W)`, corrected once more at the full size: by matching alone, of the fine features."""
        before, after = (F.silu(self.pyramid.fine(picture)) for picture in (first, last))  # (B, C0, H, W)
        cost = matching_cost(warp(before, flows[:, :2]), warp(after, flows[:, 2:]), 1)  # (B, 9, H, W)
        apart = disagreement(warp(first, flows[:, :2]), warp(last, flows[:, 2:]))
        motion = openness(apart) * expected_motion(cost, self.log_sharpness.exp())  # (B, 2, H, W)
        return flows + torch.cat([-motion, motion], dim=1)

    def _padded(self, first: torch.Tensor, last: torch.Tensor) -> list[torch.Tensor]:
        """Border pixels repeated to the right and below, until every level is half of the one above."""
        if first.ndim != 4 or first.shape[1] != 3 or first.shape != last.shape:
            raise ValueError(f"two pictures (B, 3, H, W) of one shape: got {tuple(first.shape)}, {tuple(last.shape)}")
        multiple = 2 ** (self.config.num_levels - 1)
        padding = (0, -first.shape[-1] % multiple, 0, -first.shape[-2] % multiple)
        return [F.pad(picture, padding, mode="replicate") for picture in (first, last)]


def disagreement(first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
    """How far two pictures `(B, C, H, W)` are apart at each pixel, the mean over channels: `(B, 1, H, W)`."""
    return (first - last).abs().mean(dim=1, keepdim=True)


def openness(difference: torch.Tensor) -> torch.Tensor:
    """How far a correction may act: not where both sides agree, `d^2 / (d^2 + AGREED^2)` of their difference d.

    Most of a film stands still, and the mean of two frames is hard to beat there: whatever a network adds is an error.
    """
    square = difference.square()
    return square / (square + AGREED**2)


def enlarged(flows: torch.Tensor, size: Sequence[int]) -> torch.Tensor:
    """Flows `(B, 2 n, h, w)` at another size `(H, W)`: pictures twice as large have motions twice as long."""
    height, width = size
    longer = flows.new_tensor([width / flows.shape[-1], height / flows.shape[-2]] * (flows.shape[1] // 2))
    return F.interpolate(flows, size=(height, width), mode="bilinear") * longer[:, None, None]
