"""Asks itself for the smaller levels."""


class FeaturePyramid(nn.Module):
    def __init__(self, feature_channels, num_levels):
        super().__init__()
        fine, coarse = feature_channels
        self.num_levels = num_levels
        self.fine = nn.Conv2d(3, fine, 3, padding=1)
        self.coarse = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)

    def forward(self, picture):
        def below(picture, fine, levels_left):
            if levels_left == 0:
                return []
            smaller = halve(picture)
            smaller_fine = nn.functional.silu(self.fine(smaller))
            here = torch.cat([smaller_fine, nn.functional.silu(self.coarse(fine))], dim=1)
            return [here, *below(smaller, smaller_fine, levels_left - 1)]

        return below(picture, nn.functional.silu(self.fine(picture)), self.num_levels - 1)
