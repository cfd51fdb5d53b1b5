"""The halves as nn.Sequential, SiLU written out."""


class FiLMBlock(nn.Module):
    def __init__(self, in_channels, out_channels, cond_channels):
        super().__init__()
        self.norm_first, self.norm_second = group_norm(in_channels), group_norm(out_channels)
        self.first = nn.Conv2d(in_channels, out_channels, 3, padding=1)
        self.second = nn.Conv2d(out_channels, out_channels, 3, padding=1)
        self.film = nn.Linear(cond_channels, 2 * out_channels)
        self.fit = nn.Identity() if in_channels == out_channels else nn.Conv2d(in_channels, out_channels, 1)

    def forward(self, x, cond):
        h = nn.Sequential(self.norm_first, nn.SiLU(), self.first, self.norm_second)(x)
        gamma, beta = torch.tensor_split(self.film(cond)[:, :, None, None], 2, dim=1)
        h = h + gamma * h + beta
        return self.fit(x) + self.second(h * torch.sigmoid(h))
