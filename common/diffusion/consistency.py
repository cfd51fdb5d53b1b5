"""Consistency distillation: a student answers at once what a teacher comes to in several steps from the same noise."""

from collections.abc import Callable
from itertools import pairwise

import torch

HUBER = 0.05  # where the distance turns from squares to absolute values, in pixels of [-1, 1]


def teacher_jump(teacher: Callable, x: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
    """The teacher's way down the probability flow ODE, by Euler's steps: where the sample is at the last level.

    The ODE is dx / dsigma = (x - D(x; sigma)) / sigma, where D is the teacher (Karras et al. 2022, 2206.00364, eq. 1).
    One step goes from each level to the next, and asks the teacher once. No gradient is recorded.

    Args:
        teacher: `(x, sigma) -> ` its estimate of x0; sigma is `(B,)` in float32.
        x: noisy samples at the first level, `(B, ...)` float32.
        sigmas: `(n + 1,)` float32, falling, n from 0. The last may be 0.

    Returns:
        A new float32 tensor as x. With n = 0 it equals x.
    """
    with torch.no_grad():
        x = x.clone()
        for sigma, after in pairwise(sigmas.to(x.device)):
            x0 = teacher(x, sigma.expand(len(x)))
            x = x + (after - sigma) * (x - x0) / sigma
    return x


def consistency_loss(
    student: Callable,
    target: Callable,
    teacher: Callable,
    x: torch.Tensor,
    sigmas: torch.Tensor,
    huber: float = HUBER,
) -> torch.Tensor:
    """Consistency distillation: along one path of the ODE, the estimate of x0 must be the same everywhere.

    Song et al. 2023, arXiv:2303.01469, algorithm 2: the student at x, against the target network at the place where the
    teacher comes to from x, `teacher_jump(teacher, x, sigmas)`. At level 0 a sample is its own x0. This boundary
    condition is why the student can't just be constant. So where the last level is 0, the place itself is the target,
    and `target` is not called. With all levels down to 0, the teacher's whole way becomes one step of the student.

    The distance is pseudo-Huber, number by number: the mean over a sample of sqrt(d² + huber²) - huber, with d the
    difference. (arXiv:2310.14189 takes the root of the whole sample's squares.) It asks for the median where a squared
    error asks for the mean: a grey between two tiles costs as much as the wrong tile.

    Args:
        student: `(x, sigma) -> ` its estimate of x0, sigma `(B,)` float32; with gradient.
        target: likewise, a slow copy (EMA) of the student. Gets no gradient.
        teacher: likewise. Gets no gradient.
        x: noisy samples at the first level, `(B, ...)` float32.
        sigmas: `(n + 1,)` float32, falling, n at least 1; the last may be 0.
        huber: above 0.

    Returns:
        `(B,)` float32. Only the student gets a gradient.
    """
    there = teacher_jump(teacher, x, sigmas)
    if sigmas[-1] > 0:
        with torch.no_grad():
            there = target(there, sigmas[-1].to(x.device).expand(len(x)))
    difference = student(x, sigmas[0].to(x.device).expand(len(x))).float() - there.detach().float()
    return ((difference.square() + huber**2).sqrt() - huber).flatten(1).mean(dim=1)


def beside_truth(estimate: torch.Tensor, due: torch.Tensor, huber: float = HUBER) -> torch.Tensor:
    """The same distance of an estimate from what is known, `(B,)`."""
    return ((estimate.float() - due.float()).square() + huber**2).sqrt().sub(huber).flatten(1).mean(dim=1)
