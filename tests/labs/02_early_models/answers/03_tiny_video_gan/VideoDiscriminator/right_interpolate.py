"""Halves with interpolate's area mode, sums one axis after the other."""


class VideoDiscriminator(nn.Module):
    def __init__(self, in_channels: int, channels: int, normalized: bool = True):
        super().__init__()
        norm = spectral_norm if normalized else nn.Identity()
        self.first = norm(nn.Conv3d(in_channels, channels, (3, 4, 4), stride=(1, 2, 2), padding=1))
        self.second = norm(nn.Conv3d(channels, 2 * channels, 3, stride=2, padding=1))
        self.third = norm(nn.Conv3d(2 * channels, 2 * channels, 3, padding=1))
        self.score = norm(nn.Linear(2 * channels, 1))

    def forward(self, clips):
        x = F.interpolate(clips, size=(clips.shape[2], clips.shape[3] // 2, clips.shape[4] // 2), mode="area")
        for layer in (self.first, self.second, self.third):
            x = F.leaky_relu(layer(x), negative_slope=SLOPE)
        return self.score(x.sum(4).sum(3).sum(2)).flatten()
