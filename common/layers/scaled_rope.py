"""3D RoPE for grids of any size: positions that mean the same place of the picture, however many tokens it has."""

import torch

from common.layers.rope import axis_dims


def scaled_rotations(
    size: tuple[int, int, int], head_dim: int, base_rows: int = 4, theta: float = 100.0, device=None
) -> torch.Tensor:
    """Scaled rotary grid (position interpolation, arXiv:2306.15595): `rotations`, with places of a trained grid.

    A model that was trained on squares of `base_rows` rows knows places from 0 to `base_rows - 1`, and sizes and
    distances in them. A picture of H' rows is given the same range: one factor, `base_rows / H'`, for rows and columns
    alike, so that a circle stays a circle. Tokens are measured at their middles. The picture's middle keeps its place,
    so a wide picture reaches beyond the range on both sides, and a narrow one stays inside it. With s = base_rows / H':

        place of row i:     (i + 1/2) · s - 1/2
        place of column j:  (j + 1/2 - W'/2) · s + (base_rows - 1) / 2
        place of frame k:   k

    Frames are not scaled: the next one is as many seconds later as ever. From places to turns all is as in `rotations`:
    an axis whose share of the head, by `axis_dims`, is n numbers has n / 2 pairs, and pair j turns by the angle
    place · theta^(-2j / n). Pairs of the frame first, then of the row, then of the column. Places and angles are
    computed in float64.

    Args:
        size: T', H', W', the tokens of each axis, at least 1.
        head_dim: of the attention.
        base_rows: rows of tokens, and columns, of the square that the model was trained on.
        theta: as in `rotations`.
        device: of the result.

    Returns:
        The turns e^{i · angle}: complex64 `(T' · H' · W', head_dim / 2)`, tokens in the order frame, row, column. For
        `size = (T', base_rows, base_rows)` those of `rotations`.

    Raises:
        ValueError: an axis has no token, or `base_rows` is below 1; or as `axis_dims`.
    """
    num_frames, num_rows, num_columns = size
    if min(*size, base_rows) < 1:
        raise ValueError(f"every axis needs a token, and the trained square a row; got {size=}, {base_rows=}")
    scale = base_rows / num_rows
    frames, rows, columns = (torch.arange(length, dtype=torch.float64) for length in size)
    rows = (rows + 0.5) * scale - 0.5
    columns = (columns + 0.5 - num_columns / 2) * scale + (base_rows - 1) / 2
    angles = []
    for axis, (places, dim) in enumerate(zip((frames, rows, columns), axis_dims(head_dim), strict=True)):
        speeds = theta ** (-torch.arange(0, dim, 2, dtype=torch.float64) / dim)  # (dim / 2,)
        shape = [1, 1, 1, -1]
        shape[axis] = len(places)
        angles.append((places[:, None] * speeds).reshape(shape).expand(num_frames, num_rows, num_columns, -1))
    angle = torch.cat(angles, dim=-1).flatten(0, 2)  # (T' H' W', head_dim / 2)
    return torch.polar(torch.ones_like(angle), angle).to(torch.complex64).to(device)
