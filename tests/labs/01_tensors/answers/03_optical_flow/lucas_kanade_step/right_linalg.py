"""torch.gradient for the slopes, torch.linalg.solve for the systems."""


def lucas_kanade_step(first, second, *, valid=None, window=13, damping=1e-3):
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"{tuple(first.shape)} and {tuple(second.shape)}")
    around = F.pad((first + second) / 2, (1, 1, 1, 1), mode="replicate")
    dy, dx = (slope[..., 1:-1, 1:-1] for slope in torch.gradient(around, dim=(-2, -1)))
    dt = second - first
    gradient = torch.stack([dx, dy], dim=1)
    matrix = torch.einsum("bichw,bjchw->bijhw", gradient, gradient) / first.shape[1]
    right = torch.einsum("bichw,bchw->bihw", gradient, dt) / first.shape[1]
    if valid is not None:
        matrix, right = matrix * valid[:, None], right * valid
    matrix = window_average(matrix.flatten(1, 2), window).unflatten(1, (2, 2)).permute(0, 3, 4, 1, 2)
    right = window_average(right, window).permute(0, 2, 3, 1)
    matrix = matrix + damping * torch.eye(2, dtype=first.dtype)
    return torch.linalg.solve(matrix, -right).permute(0, 3, 1, 2)
