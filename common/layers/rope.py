"""Rotary positions on three axes: a token's place turns its queries and keys, and their products see distances only."""

import torch


def axis_dims(head_dim: int) -> tuple[int, int, int]:
    """How many of a head's numbers tell the frame, the row and the column: a third each, even, frames take the rest.

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
    """A turn for each token of a grid and each pair of numbers of a head: e^{i · place · theta^(-2j / n)}.

    RoPE (Su et al. 2021, arXiv:2104.09864, eq. 34), each axis with its own share of the head, as video models do it.

    Args:
        size: T', H', W', the tokens of each axis.
        head_dim: of the attention.
        frame_offset: place of the first frame: a stream's next piece goes on counting where the last one ended.
        theta: the slowest turn is `1 / theta` radian a place, nearly; grids of 4 to 100 places need no more than 100.
        device: of the result.

    Returns:
        complex64 `(T' · H' · W', head_dim / 2)`, tokens in the order frame, row, column.
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
    """Turn neighbouring numbers, two and two: a pair is a complex number, and a turn is a product.

    Args:
        x: `(B, N, num_heads, head_dim)`.
        rotation: `(N, head_dim / 2)`, from `rotations`.

    Returns:
        As `x`, in its dtype; computed in float32. Lengths stay, and the product of a turned query with a turned key
        depends on how far apart they are, not on where.
    """
    pairs = torch.view_as_complex(x.float().unflatten(-1, (-1, 2)))  # (B, N, num_heads, head_dim / 2)
    return torch.view_as_real(pairs * rotation[:, None]).flatten(-2).to(x.dtype)
