"""SiLU by its formula, and axes by unsqueeze."""


class TemporalResnetBlock(nn.Module):
    def __init__(self, num_channels: int, temb_channels: int, eps: float = 1e-5):
        super().__init__()
        conv = lambda: nn.Conv3d(num_channels, num_channels, (3, 1, 1), padding=(1, 0, 0))  # noqa: E731
        self.norm1, self.conv1 = nn.GroupNorm(GROUPS, num_channels, eps), conv()
        self.time_emb_proj = nn.Linear(temb_channels, num_channels)
        self.norm2, self.conv2 = nn.GroupNorm(GROUPS, num_channels, eps), conv()
        zero(self.conv2)

    def forward(self, x, temb):
        embedding = self.time_emb_proj(temb * temb.sigmoid()).transpose(1, 2)
        h = nn.functional.silu(self.norm1(x))
        h = self.conv1(h).add(embedding.unsqueeze(-1).unsqueeze(-1))
        h = self.conv2(nn.functional.silu(self.norm2(h)))
        return h + x
