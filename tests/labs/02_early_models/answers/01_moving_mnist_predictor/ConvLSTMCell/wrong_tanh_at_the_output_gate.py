"""The output gate through tanh.

Message: h' = sigmoid(o) tanh(c')
"""


class ConvLSTMCell(nn.Module):
    def __init__(self, in_channels: int, hidden_channels: int, kernel_size: int = 3):
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"the kernel of a cell is odd, or the memory would drift; got {kernel_size}")
        self.hidden_channels = hidden_channels
        channels = in_channels + hidden_channels
        self.gates = nn.Conv2d(channels, 4 * hidden_channels, kernel_size, padding=kernel_size // 2)

    def init_weights(self) -> None:
        nn.init.zeros_(self.gates.bias)
        nn.init.ones_(self.gates.bias[self.hidden_channels : 2 * self.hidden_channels])

    def forward(self, x, state=None):
        if state is None:
            zeros = x.new_zeros(len(x), self.hidden_channels, *x.shape[2:])
            state = (zeros, zeros)
        h, c = state
        i, f, g, o = self.gates(torch.cat([x, h], dim=1)).chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        h = torch.tanh(o) * torch.tanh(c)
        return h, c
