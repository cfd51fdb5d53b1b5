"""Four neighbours by hand, without grid_sample."""


def warp(image, flow):
    if image.ndim != 4:
        raise ValueError(f"image {tuple(image.shape)}")
    batch, channels, height, width = image.shape
    if tuple(flow.shape) != (batch, 2, height, width):
        raise ValueError(f"flow {tuple(flow.shape)}")
    x = (torch.arange(width) + flow[:, 0]).clamp(0, width - 1)
    y = (torch.arange(height)[:, None] + flow[:, 1]).clamp(0, height - 1)
    left, top = x.detach().floor().long(), y.detach().floor().long()
    right, low = (left + 1).clamp(max=width - 1), (top + 1).clamp(max=height - 1)
    a, b = (x - left)[:, None], (y - top)[:, None]
    flat = image.flatten(2)

    def at(row, column):
        places = (row * width + column).flatten(1)[:, None].expand(-1, channels, -1)
        return flat.gather(2, places).reshape(image.shape)

    upper = (1 - a) * at(top, left) + a * at(top, right)
    lower = (1 - a) * at(low, left) + a * at(low, right)
    return (1 - b) * upper + b * lower
