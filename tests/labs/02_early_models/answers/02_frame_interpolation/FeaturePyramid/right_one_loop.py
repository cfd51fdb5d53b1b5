"""Keeps only what the next level needs."""


class FeaturePyramid(nn.Module):
    def __init__(self, feature_channels, num_levels):
        super().__init__()
        fine, coarse = feature_channels
        self.num_levels = num_levels
        self.fine = nn.Conv2d(3, fine, 3, padding=1)
        self.coarse = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)

    def forward(self, picture):
        levels = []
        above = F.silu(self.fine(picture))
        for _ in range(self.num_levels - 1):
            picture = halve(picture)
            here = F.silu(self.fine(picture))
            levels.append(torch.cat((here, F.silu(self.coarse(above))), 1))
            above = here
        return levels
