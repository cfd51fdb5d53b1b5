"""Feeds the coarse layer what the fine one made before its SiLU.

Message: before its SiLU
"""


class FeaturePyramid(nn.Module):
    def __init__(self, feature_channels, num_levels):
        super().__init__()
        fine, coarse = feature_channels
        self.num_levels = num_levels
        self.fine = nn.Conv2d(3, fine, 3, padding=1)
        self.coarse = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)

    def forward(self, picture):
        sizes = [picture]
        for _ in range(self.num_levels - 1):
            sizes.append(halve(sizes[-1]))
        raw = [self.fine(size) for size in sizes]
        return [torch.cat([F.silu(f), F.silu(self.coarse(above))], dim=1) for f, above in zip(raw[1:], raw[:-1])]
