"""Pads by replication where there is no cache; keeps indices of the last frames."""


class CausalConv3d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=(3, 3, 3)):
        super().__init__()
        frames, rows, columns = kernel_size
        if frames < 1 or rows % 2 == 0 or columns % 2 == 0:
            raise ValueError(f"odd rows and columns, please; got {kernel_size}")
        self.num_past = frames - 1
        self.conv = nn.Conv3d(in_channels, out_channels, kernel_size, padding=(0, rows // 2, columns // 2))

    def forward(self, x, cache=None):
        if cache is None:
            read = F.pad(x, (0, 0, 0, 0, self.num_past, 0), mode="replicate")
        else:
            read = torch.cat((cache, x), 2)
        last = torch.arange(read.shape[2] - self.num_past, read.shape[2], device=x.device)
        return self.conv(read), read.index_select(2, last)
