"""Takes the coarse features from this size and brings them back up.

Message: fine features of the size above
"""


class FeaturePyramid(nn.Module):
    def __init__(self, feature_channels, num_levels):
        super().__init__()
        fine, coarse = feature_channels
        self.num_levels = num_levels
        self.fine = nn.Conv2d(3, fine, 3, padding=1)
        self.coarse = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)

    def forward(self, picture):
        levels = []
        for _ in range(self.num_levels - 1):
            picture = halve(picture)
            fine = F.silu(self.fine(picture))
            coarse = F.interpolate(F.silu(self.coarse(fine)), size=fine.shape[-2:], mode="bilinear")
            levels.append(torch.cat([fine, coarse], dim=1))
        return levels
