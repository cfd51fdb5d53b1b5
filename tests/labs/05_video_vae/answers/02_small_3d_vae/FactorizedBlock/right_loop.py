"""A loop over the two pairs of layers."""


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
        h = x
        for norm, conv, past in ((self.norm_space, self.space, None), (self.norm_time, self.time, cache)):
            h, after = conv(nn.SiLU()(norm(h)), past)
        return (h + x), after
