"""Finds the valid pixels once per level.

Message: valid=points_inside(flow)
"""


def lucas_kanade(
    first: torch.Tensor,
    second: torch.Tensor,
    *,
    num_levels: int = 4,
    num_iterations: int = 4,
    window: int = 13,
    damping: float = 1e-3,
) -> torch.Tensor:
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"two pictures (B, C, H, W) of one shape: got {tuple(first.shape)} and {tuple(second.shape)}")
    if num_levels < 1 or num_iterations < 1:
        raise ValueError(f"at least 1 level and 1 iteration: got {num_levels} and {num_iterations}")
    levels = [(first, second)]
    for _ in range(num_levels - 1):
        levels.append((halve(levels[-1][0]), halve(levels[-1][1])))
    flow = first.new_zeros(len(first), 2, *levels[-1][0].shape[-2:])
    for small_first, small_second in reversed(levels):
        height, width = small_first.shape[-2:]
        longer = flow.new_tensor([width / flow.shape[-1], height / flow.shape[-2]])
        flow = F.interpolate(flow, size=(height, width), mode="bilinear") * longer[:, None, None]  # (B, 2, h, w)
        valid = points_inside(flow)
        for _ in range(num_iterations):
            warped = warp(small_second, flow)
            flow = flow + lucas_kanade_step(small_first, warped, valid=valid, window=window, damping=damping)
    return flow
