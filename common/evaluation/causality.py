"""Who sees whom in time: change one frame of a clip, and look at what moves in the result."""

from collections.abc import Callable

import torch


@torch.no_grad()
def influence(run: Callable[[torch.Tensor], torch.Tensor], clip: torch.Tensor, *, by: float = 0.3) -> torch.Tensor:
    """How much each frame of a clip moves each frame of a result.

    Row i is the answer to a change of frame i alone. For a causal map of a clip onto a clip, everything left of the
    diagonal is exactly 0.

    Args:
        run: takes a clip `(B, C, T, H, W)`, and gives a result `(B, D, T', H', W')`.
        clip: `(B, C, T, H, W)`.
        by: how much is added to the frame that changes.

    Returns:
        `(T, T')`: the largest absolute change in frame j of the result when frame i of the clip is changed.
    """
    before, rows = run(clip), []
    for frame in range(clip.shape[2]):
        changed = clip.clone()
        changed[:, :, frame] += by
        rows.append((run(changed) - before).abs().amax(dim=(0, 1, 3, 4)))  # (T',)
    return torch.stack(rows)


def reach_back(moved: torch.Tensor, last_frame: torch.Tensor | None = None) -> int:
    """How many frames back a change is felt at most; 0 for a causal map.

    Args:
        moved: `(T, T')`, as `influence` gives it.
        last_frame: `(T',)`, for each frame of the result the last frame of the clip that it may see; without it,
            the results are as many as the frames, and each may see its own.
    """
    num_frames, num_results = moved.shape
    allowed = torch.arange(num_results) if last_frame is None else last_frame
    back = torch.arange(num_frames)[:, None] - allowed[None, :]  # (T, T')
    return int((back * (moved > 0)).clamp(min=0).max())
