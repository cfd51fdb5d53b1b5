"""Writes SiLU out, and builds from the small end."""


class FeaturePyramid(nn.Module):
    def __init__(self, feature_channels, num_levels):
        super().__init__()
        fine, coarse = feature_channels
        self.num_levels = num_levels
        self.fine = nn.Conv2d(3, fine, 3, padding=1)
        self.coarse = nn.Conv2d(fine, coarse, 3, stride=2, padding=1)

    def forward(self, picture):
        def silu(x):
            return x * torch.sigmoid(x)

        sizes = [picture]
        while len(sizes) < self.num_levels:
            sizes.append(halve(sizes[-1]))
        out = []
        for large, small in zip(reversed(sizes[:-1]), reversed(sizes[1:])):
            out.insert(0, torch.cat([silu(self.fine(small)), silu(self.coarse(silu(self.fine(large))))], dim=1))
        return out
