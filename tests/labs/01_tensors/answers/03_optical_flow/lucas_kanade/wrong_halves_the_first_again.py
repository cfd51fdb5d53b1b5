"""Every smaller size is half of the first one.

Message: from the smallest size on
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
    """The flow from the first picture to the second: small steps, from coarse to fine.

    Both pictures are halved (`halve`) `num_levels - 1` times. From the smallest level to the full size, the flow found
    so far is brought to the level's size (a picture twice as wide has motions twice as long), then corrected
    `num_iterations` times: the second picture is warped back by the flow, and one `lucas_kanade_step` from the first
    picture to the warped one is added to the flow. Where the flow points out of the picture nothing can be compared:
    only `points_inside(flow)` is valid in that step.

    Args:
        first: `(B, C, H, W)`, values in [-1, 1]: frame t.
        second: the same shape: frame t + 1.
        num_levels: sizes at which to look, at least 1 (the full size alone).
        num_iterations: steps at each level, at least 1.
        window: side of the window of a step, in the pixels of each level, odd.
        damping: of a step.

    Returns:
        `(B, 2, H, W)`: the forward flow, x then y, in pixels per frame.

    Raises:
        ValueError: the pictures have not four axes, their shapes differ, or a count is below 1.
    """
    if first.ndim != 4 or first.shape != second.shape:
        raise ValueError(f"two pictures (B, C, H, W) of one shape: got {tuple(first.shape)} and {tuple(second.shape)}")
    if num_levels < 1 or num_iterations < 1:
        raise ValueError(f"at least 1 level and 1 iteration: got {num_levels} and {num_iterations}")
    levels = [(first, second)]
    for _ in range(num_levels - 1):
        levels.append((halve(first), halve(second)))
    flow = first.new_zeros(len(first), 2, *levels[-1][0].shape[-2:])
    for small_first, small_second in reversed(levels):
        height, width = small_first.shape[-2:]
        longer = flow.new_tensor([width / flow.shape[-1], height / flow.shape[-2]])
        flow = F.interpolate(flow, size=(height, width), mode="bilinear") * longer[:, None, None]  # (B, 2, h, w)
        for _ in range(num_iterations):
            warped, valid = warp(small_second, flow), points_inside(flow)
            flow = flow + lucas_kanade_step(small_first, warped, valid=valid, window=window, damping=damping)
    return flow
