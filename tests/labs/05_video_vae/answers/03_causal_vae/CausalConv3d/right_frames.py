"""A list of frames, one output at a time."""


class CausalConv3d(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=(3, 3, 3)):
        super().__init__()
        frames, rows, columns = kernel_size
        if frames < 1 or rows % 2 == 0 or columns % 2 == 0:
            raise ValueError(f"odd rows and columns, please; got {kernel_size}")
        self.num_past = frames - 1
        self.conv = nn.Conv3d(in_channels, out_channels, kernel_size, padding=(0, rows // 2, columns // 2))

    def forward(self, x, cache=None):
        seen = [x[:, :, 0]] * self.num_past if cache is None else list(cache.unbind(2))
        outputs = []
        for frame in x.unbind(2):
            seen.append(frame)
            outputs.append(self.conv(torch.stack(seen[-self.num_past - 1 :], dim=2)))
        kept = seen[len(seen) - self.num_past :]
        cache = torch.stack(kept, dim=2) if kept else x.new_empty(*x.shape[:2], 0, *x.shape[3:])
        return torch.cat(outputs, dim=2), cache
