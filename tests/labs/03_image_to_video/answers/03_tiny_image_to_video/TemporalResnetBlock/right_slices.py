"""The convolutions as three matrix products, one for each tap."""


class TemporalResnetBlock(nn.Module):
    def __init__(self, num_channels: int, temb_channels: int, eps: float = 1e-5):
        super().__init__()
        conv = lambda: nn.Conv3d(num_channels, num_channels, (3, 1, 1), padding=(1, 0, 0))  # noqa: E731
        self.norm1, self.conv1 = nn.GroupNorm(GROUPS, num_channels, eps), conv()
        self.time_emb_proj = nn.Linear(temb_channels, num_channels)
        self.norm2, self.conv2 = nn.GroupNorm(GROUPS, num_channels, eps), conv()
        zero(self.conv2)

    def forward(self, x, temb):
        def along_time(conv, h):
            padded = F.pad(h, (0, 0, 0, 0, 1, 1))
            t = h.shape[2]
            taps = [torch.einsum("oc,bcthw->bothw", conv.weight[:, :, k, 0, 0], padded[:, :, k : k + t]) for k in range(3)]
            return taps[0] + taps[1] + taps[2] + conv.bias[:, None, None, None]

        h = along_time(self.conv1, F.silu(self.norm1(x)))
        h = h + torch.stack([self.time_emb_proj(F.silu(temb[:, t])) for t in range(x.shape[2])], dim=2)[..., None, None]
        return x + along_time(self.conv2, F.silu(self.norm2(h)))
