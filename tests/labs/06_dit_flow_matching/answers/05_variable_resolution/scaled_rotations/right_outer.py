"""A mesh of places, and one outer product per axis."""


def scaled_rotations(size, head_dim, base_rows=4, theta=100.0, device=None):
    if any(n < 1 for n in size) or base_rows < 1:
        raise ValueError(f"no token: {size}, {base_rows}")
    t, h, w = size
    s = base_rows / h
    f64 = torch.float64
    axes = [torch.arange(t, dtype=f64), (torch.arange(h, dtype=f64) + 0.5) * s - 0.5,
            (torch.arange(w, dtype=f64) - (w - 1) / 2) * s + (base_rows - 1) / 2]  # fmt: skip
    mesh = torch.meshgrid(*axes, indexing="ij")
    parts = []
    for places, n in zip(mesh, axis_dims(head_dim)):
        j = torch.arange(n // 2, dtype=f64)
        parts.append(torch.outer(places.flatten(), torch.exp(-2 * j / n * math.log(theta))))
    angle = torch.hstack(parts)
    return torch.complex(angle.cos(), angle.sin()).to(dtype=torch.complex64, device=device)
