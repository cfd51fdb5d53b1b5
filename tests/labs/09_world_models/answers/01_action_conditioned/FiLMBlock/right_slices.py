"""Slices in place of chunk, einops in place of append_dims."""


class FiLMBlock(nn.Module):
    def __init__(self, in_channels, out_channels, cond_channels):
        super().__init__()
        self.norm_first, self.norm_second = group_norm(in_channels), group_norm(out_channels)
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.film = nn.Linear(cond_channels, 2 * out_channels)
        self.fit = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x, cond):
        numbers = rearrange(self.film(cond), "b c -> b c 1 1")
        half = numbers.shape[1] // 2
        h = self.norm_second(self.first(F.silu(self.norm_first(x))))
        h = torch.addcmul(numbers[:, half:], h, numbers[:, :half] + 1)
        return self.second(F.silu(h)).add(self.fit(x))
