"""Halves by reshaping; a loop over the layers; the sum as a flattened one."""


class VideoDiscriminator(nn.Module):
    def __init__(self, in_channels: int, channels: int, normalized: bool = True):
        super().__init__()
        norm = spectral_norm if normalized else nn.Identity()
        self.first = norm(nn.Conv3d(in_channels, channels, (3, 4, 4), stride=(1, 2, 2), padding=1))
        self.second = norm(nn.Conv3d(channels, 2 * channels, 3, stride=2, padding=1))
        self.third = norm(nn.Conv3d(2 * channels, 2 * channels, 3, padding=1))
        self.score = norm(nn.Linear(2 * channels, 1))

    def forward(self, clips):
        b, c, t, h, w = clips.shape
        x = clips.reshape(b, c, t, h // 2, 2, w // 2, 2).mean(dim=(4, 6))
        for layer in (self.first, self.second, self.third):
            x = layer(x)
            x = torch.maximum(x, SLOPE * x)
        return self.score(x.flatten(2).sum(dim=2)).squeeze(1)
