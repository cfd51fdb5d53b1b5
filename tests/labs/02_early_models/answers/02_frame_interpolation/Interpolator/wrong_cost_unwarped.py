"""Compares the features before they are warped.

Message: cost at (6, 10)
"""


class Interpolator(Shipped, ModelMixin, ConfigMixin):
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
        for layer in (self.motion.flows_out, self.refiner.pixels_out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, first: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        return self.explain(first, last)["middle"]

    def explain(self, first: torch.Tensor, last: torch.Tensor) -> dict[str, torch.Tensor]:
        height, width = first.shape[-2:]
        first, last = self._padded(first, last)
        flows, hidden = self.find_motion(first, last)
        flows = self.match_pixels(first, last, enlarged(flows, first.shape[-2:]))
        warped = warp(first, flows[:, :2]), warp(last, flows[:, 2:])
        seen_first, seen_last, added, still_off = self.refiner(*warped, hidden)
        to_first, to_last = (flows + still_off).chunk(2, dim=1)
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
        levels = list(zip(self.pyramid(first), self.pyramid(last)))[::-1]
        batch, _, height, width = levels[0][0].shape
        flows = torch.zeros(batch, 4, height, width, dtype=first.dtype, device=first.device)
        hidden = torch.zeros(batch, self.config.hidden_channels, height, width, dtype=first.dtype, device=first.device)
        for k, (a, b) in enumerate(levels):
            raw = matching_cost(a, b, self.config.radius)
            a, b = (warp(a, flows[:, 0:2]), warp(b, flows[:, 2:4]))
            flows, hidden = self.motion(a, b, raw, flows, hidden)
            if k + 1 < len(levels):
                size = levels[k + 1][0].shape[-2:]
                flows = enlarged(flows, size)
                hidden = F.interpolate(hidden, size=size, mode="bilinear")
        return (flows, hidden)

    def match_pixels(self, first: torch.Tensor, last: torch.Tensor, flows: torch.Tensor) -> torch.Tensor:
        before, after = (F.silu(self.pyramid.fine(picture)) for picture in (first, last))
        cost = matching_cost(warp(before, flows[:, :2]), warp(after, flows[:, 2:]), 1)
        apart = disagreement(warp(first, flows[:, :2]), warp(last, flows[:, 2:]))
        motion = openness(apart) * expected_motion(cost, self.log_sharpness.exp())
        return flows + torch.cat([-motion, motion], dim=1)

    def _padded(self, first: torch.Tensor, last: torch.Tensor) -> list[torch.Tensor]:
        if first.ndim != 4 or first.shape[1] != 3 or first.shape != last.shape:
            raise ValueError(f"two pictures (B, 3, H, W) of one shape: got {tuple(first.shape)}, {tuple(last.shape)}")
        multiple = 2 ** (self.config.num_levels - 1)
        padding = (0, -first.shape[-1] % multiple, 0, -first.shape[-2] % multiple)
        return [F.pad(picture, padding, mode="replicate") for picture in (first, last)]
