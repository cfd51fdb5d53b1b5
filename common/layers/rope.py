"""3D RoPE, rotary position embeddings on three axes: a token's place turns its queries and keys.

The product of a turned query with a turned key depends on the distance of the two tokens, not on where they are.
"""

import torch


def axis_dims(head_dim: int) -> tuple[int, int, int]:
    """The axis split of 3D RoPE: how many of a head's numbers tell the frame, the row and the column.

    Rows and columns get a third each, rounded down to an even number. Frames take the rest.

    Raises:
        ValueError: the head has an odd number of them, or fewer than 6.
    """
    if head_dim % 2 or head_dim < 6:
        raise ValueError(f"a head needs an even number of at least 6 numbers, got {head_dim}")
    each = 2 * (head_dim // 6)
    return head_dim - 2 * each, each, each


def rotations(
    size: tuple[int, int, int], head_dim: int, frame_offset: int = 0, theta: float = 100.0, device=None
) -> torch.Tensor:
    """3D RoPE: a turn for each token of a grid and each pair of numbers of a head.

    RoPE (Su et al. 2021, arXiv:2104.09864, eq. 34), each axis with its own share of the head, as video models do it.
    An axis whose share is n numbers has n / 2 pairs. Pair j of them, j = 0 … n / 2 - 1, turns by the angle
    place · theta^(-2j / n), and the turn is e^{i · angle}. The pairs of the frame come first, then those of the row,
    then those of the column; the shares are those of `axis_dims`. Angles are computed in float64, so that far places
    are as exact as near ones.

    Args:
        size: T', H', W', the tokens of each axis; places count from 0.
        head_dim: of the attention.
        frame_offset: place of the first frame, not 0 for a stream's next piece. Rows and columns have none.
        theta: the slowest turn is about `1 / theta` radian per place. Grids of 4 to 100 places need no more than 100.
        device: of the result.

    Returns:
        complex64 `(T' · H' · W', head_dim / 2)`, tokens in the order frame, row, column.

    Raises:
        ValueError: as `axis_dims`.
    """
    angles = []
    for axis, (length, dim) in enumerate(zip(size, axis_dims(head_dim), strict=True)):
        speeds = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)  # (dim / 2,)
        places = torch.arange(length, dtype=torch.float64) + (frame_offset if axis == 0 else 0)
        shape = [1, 1, 1, -1]
        shape[axis] = length
        angles.append((places[:, None] * speeds).reshape(shape).expand(*size, -1))
    angle = torch.cat(angles, dim=-1).flatten(0, 2)  # (T' H' W', head_dim / 2)
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64).to(device)


def rotate(x: torch.Tensor, rotation: torch.Tensor) -> torch.Tensor:
    """Apply RoPE: turn the numbers of each head in pairs.

    Numbers 2j and 2j + 1 of a head are the real and the imaginary part of a complex number, and pair j is multiplied
    by turn j of its token. All heads of a token turn alike.

    Args:
        x: `(B, N, num_heads, head_dim)`.
        rotation: `(N, head_dim / 2)`, from `rotations`.

    Returns:
        As `x`, in its dtype; computed in float32.
    """
    pairs = torch.view_as_complex(x.float().contiguous().unflatten(-1, (-1, 2)))  # (B, N, num_heads, head_dim / 2)
    return torch.view_as_real(pairs * rotation[:, None]).flatten(-2).to(x.dtype)
