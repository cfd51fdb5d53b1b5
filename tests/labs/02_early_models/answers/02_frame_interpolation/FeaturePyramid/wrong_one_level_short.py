"""Halves once less than num_levels asks for.

Message: all but the full one have features
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
        for _ in range(self.num_levels - 2):
            sizes.append(halve(sizes[-1]))
        fine = [F.silu(self.fine(size)) for size in sizes]
        coarse = [F.silu(self.coarse(features)) for features in fine[:-1]]
        return [torch.cat(pair, dim=1) for pair in zip(fine[1:], coarse)]
