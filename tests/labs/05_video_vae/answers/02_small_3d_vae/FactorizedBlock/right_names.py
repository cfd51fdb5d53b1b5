"""In small steps."""


class FactorizedBlock(nn.Module):
    def __init__(self, num_channels: int):
        super().__init__()
        self.norm_space = ChannelNorm(num_channels)
        self.space = CausalConv3d(num_channels, num_channels, (1, 3, 3))
        self.norm_time = ChannelNorm(num_channels)
        self.time = CausalConv3d(num_channels, num_channels, (3, 1, 1))

    def init_weights(self) -> None:
        nn.init.zeros_(self.time.conv.weight)
        nn.init.zeros_(self.time.conv.bias)

    def forward(self, x, cache=None):
        spatial = self.norm_space(x)
        spatial = self.space(spatial * torch.sigmoid(spatial), None)[0]
        temporal = torch.nn.functional.silu(self.norm_time(spatial))
        temporal, state = self.time(temporal, cache)
        return torch.add(temporal, x), state
