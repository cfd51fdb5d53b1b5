"""Sigmoids written as tanh, slices by hand."""


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
        n = self.hidden_channels
        if state is None:
            h = c = torch.zeros_like(x[:, :1]).repeat(1, n, 1, 1)
        else:
            h, c = state
        z = self.gates(torch.cat([x, h], dim=1))
        gate = 0.5 * (1 + torch.tanh(0.5 * z))
        new = gate[:, n : 2 * n] * c + gate[:, :n] * torch.tanh(z[:, 2 * n : 3 * n])
        return gate[:, 3 * n :] * torch.tanh(new), new
