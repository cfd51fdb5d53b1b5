"""Input and hidden state by kernels of their own, added."""


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
        weight, bias, pad = self.gates.weight, self.gates.bias, self.gates.padding
        split = x.shape[1]
        z = F.conv2d(x, weight[:, :split], bias, padding=pad)
        if state is not None:
            z = z + F.conv2d(state[0], weight[:, split:], padding=pad)
        i, f, g, o = torch.tensor_split(z, 4, dim=1)
        memory = i.sigmoid() * g.tanh()
        if state is not None:
            memory = memory + f.sigmoid() * state[1]
        return o.sigmoid() * memory.tanh(), memory
