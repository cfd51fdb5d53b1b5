"""Each axis on its own, then repeated over the others."""


def scaled_rotations(size, head_dim, base_rows=4, theta=100.0, device=None):
    frames, height, width = size
    if min(frames, height, width) <= 0 or base_rows <= 0:
        raise ValueError("empty")
    scale = base_rows / height
    row = [(i + 0.5) * scale - 0.5 for i in range(height)]
    column = [(j + 0.5 - width / 2) * scale + (base_rows - 1) / 2 for j in range(width)]
    dims = axis_dims(head_dim)

    def turn(places, n):
        speeds = torch.tensor([theta ** (-2 * j / n) for j in range(n // 2)], dtype=torch.float64)
        return torch.tensor(places, dtype=torch.float64)[:, None] * speeds

    a = turn(list(range(frames)), dims[0]).repeat_interleave(height * width, dim=0)
    b = turn(row, dims[1]).repeat_interleave(width, dim=0).repeat(frames, 1)
    c = turn(column, dims[2]).repeat(frames * height, 1)
    return torch.exp(1j * torch.cat([a, b, c], dim=1)).to(torch.complex64).to(device or "cpu")
