"""Two knobs at once: a grid of settings from the same noise, and which settings nothing else beats."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import torch


def paired_sweep(
    measure: Callable[[float, float, list[torch.Generator]], Mapping[str, Sequence[float]]],
    rows: Iterable[float],
    columns: Iterable[float],
    seeds: Iterable[int],
) -> dict[str, np.ndarray]:
    """Measure every pair of settings with paired noise: each cell of the grid gets generators with the same seeds.

    Two cells then differ by their settings alone, and far fewer clips tell them apart.

    Args:
        measure: `(row, column, generators)` to a mapping: for each name N values, one per generator. It is called once
            per cell, row by row.
        rows: settings of the first knob, R of them.
        columns: settings of the second, C of them.
        seeds: N of them. Each call gets a list of N new generators on the CPU, with these seeds, in this order.

    Returns:
        For each name an array `(R, C, N)`, float64.

    Raises:
        ValueError: there are no rows, no columns or no seeds.
    """
    rows, columns, seeds = list(rows), list(columns), list(seeds)
    if not rows or not columns or not seeds:
        raise ValueError(f"a grid has cells, and each some seeds; got {rows=}, {columns=}, {seeds=}")
    cells = [
        measure(row, column, [torch.Generator().manual_seed(seed) for seed in seeds])
        for row in rows
        for column in columns
    ]
    shape = len(rows), len(columns), len(seeds)
    return {name: np.array([cell[name] for cell in cells], np.float64).reshape(shape) for name in cells[0]}


def pareto_front(points: np.ndarray) -> np.ndarray:
    """The Pareto front: which points no other point dominates. More is better along every axis.

    A point dominates another if it is at least as good along every axis and better along one. Equal points do not
    dominate each other.

    Args:
        points: `(N, D)`, N from 0: integers or floats of any dtype, compared as they are.

    Returns:
        bool `(N,)`: whether a point is on the front.

    Raises:
        ValueError: `points` has another number of axes, or a NaN.
    """
    points = np.asarray(points)
    if points.ndim != 2 or np.isnan(points).any():
        raise ValueError(f"points are (N, D) without NaN; got {points.shape}")
    as_good = (points[:, None] >= points).all(axis=-1)  # (N, N): row at least as good as column
    better = (points[:, None] > points).any(axis=-1)
    beaten = np.asarray((as_good & better).any(axis=0))  # (N,)
    return ~beaten
