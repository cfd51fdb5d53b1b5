"""The four parts on an axis of their own."""


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
        size = (x.shape[0], self.hidden_channels, x.shape[2], x.shape[3])
        h, c = (torch.zeros(size, dtype=x.dtype, device=x.device),) * 2 if state is None else state
        z = self.gates(torch.cat((x, h), 1)).reshape(size[0], 4, *size[1:])
        keep, add, show = z[:, 1].sigmoid(), z[:, 0].sigmoid(), z[:, 3].sigmoid()
        c = torch.addcmul(keep * c, add, z[:, 2].tanh())
        return [show * c.tanh(), c]
