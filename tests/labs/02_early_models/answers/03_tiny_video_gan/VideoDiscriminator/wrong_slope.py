"""leaky_relu with its own slope.

Message: leaky_relu's own slope
"""


class VideoDiscriminator(nn.Module):
    def __init__(self, in_channels: int, channels: int, normalized: bool = True):
        super().__init__()
        norm = spectral_norm if normalized else nn.Identity()
        self.first = norm(nn.Conv3d(in_channels, channels, (3, 4, 4), stride=(1, 2, 2), padding=1))
        self.second = norm(nn.Conv3d(channels, 2 * channels, 3, stride=2, padding=1))
        self.third = norm(nn.Conv3d(2 * channels, 2 * channels, 3, padding=1))
        self.score = norm(nn.Linear(2 * channels, 1))

    def forward(self, clips):
        x = F.avg_pool3d(clips, (1, 2, 2))
        x = F.leaky_relu(self.first(x))
        x = F.leaky_relu(self.second(x))
        x = F.leaky_relu(self.third(x))
        return self.score(x.sum(dim=(2, 3, 4)))[:, 0]
