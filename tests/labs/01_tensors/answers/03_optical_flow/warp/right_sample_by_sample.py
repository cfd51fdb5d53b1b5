"""One image of the batch after the other, with advanced indexing."""


def warp(image, flow):
    if image.ndim != 4:
        raise ValueError(f"image {tuple(image.shape)}")
    batch, _, height, width = image.shape
    if tuple(flow.shape) != (batch, 2, height, width):
        raise ValueError(f"flow {tuple(flow.shape)}")
    results = []
    for picture, (u, v) in zip(image, flow):
        x = (torch.arange(width)[None, :] + u).clamp(0, width - 1)
        y = (torch.arange(height)[:, None] + v).clamp(0, height - 1)
        x0, y0 = x.floor().long().clamp(max=max(width - 2, 0)), y.floor().long().clamp(max=max(height - 2, 0))
        x1, y1 = (x0 + 1).clamp(max=width - 1), (y0 + 1).clamp(max=height - 1)
        a, b = x - x0, y - y0
        results.append(
            picture[:, y0, x0] * (1 - a) * (1 - b)
            + picture[:, y0, x1] * a * (1 - b)
            + picture[:, y1, x0] * (1 - a) * b
            + picture[:, y1, x1] * a * b
        )
    return torch.stack(results)
