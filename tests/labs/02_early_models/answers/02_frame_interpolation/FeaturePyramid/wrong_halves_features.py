"""Halves the features, so that the fine layer sees the full size alone.

Message: the features are halved instead of the picture
"""


class FeaturePyramid(nn.Module):
    def __init__(self, feature_channels, num_levels):
        super().__init__()
        fine, coarse = feature_channels
        self.num_levels = num_levels
        self.fine = nn.Conv2d(3, fine, 3, padding=1)
        self.coarse = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)

    def forward(self, picture):
        features = F.silu(self.fine(picture))
        levels = []
        for _ in range(self.num_levels - 1):
            coarse = F.silu(self.coarse(features))
            features = halve(features)
            levels.append(torch.cat([features, coarse], dim=1))
        return levels
