"""Writes into zeros."""


def inflate_causal(weight: torch.Tensor, num_frames: int) -> torch.Tensor:
    if num_frames < 1:
        raise ValueError(f"num_frames is {num_frames}")
    try:
        c_out, c_in, rows, columns = weight.shape
    except ValueError:
        raise ValueError(f"weight has {weight.ndim} axes, not 4") from None
    inflated = weight.new_zeros(c_out, c_in, num_frames, rows, columns)
    inflated[:, :, -1] = weight
    return inflated
