"""Consistency distillation: the teacher's way is the ODE's, and a student that knows its end has no loss."""

import torch

from common.diffusion.consistency import beside_truth, consistency_loss, teacher_jump
from common.streaming.world import world_sigmas


def gaussian(x, sigma, std=0.7):
    """The denoiser of data N(0, std²): its ODE ends at x · std / sqrt(std² + sigma²)."""
    variance = std**2
    return variance / (variance + sigma.reshape(-1, *[1] * (x.ndim - 1)) ** 2) * x


def test_the_way_ends_where_the_ode_of_a_gaussian_does():
    x = 5 * torch.randn(3, 2, 4, generator=torch.Generator().manual_seed(0))
    due = x * 0.7 / (0.7**2 + 25) ** 0.5
    errors = [float((teacher_jump(gaussian, x, world_sigmas(n, 5.0)) - due).abs().max()) for n in (4, 16, 256)]
    assert errors[0] > 3 * errors[1] > 9 * errors[2] and errors[2] < 0.02
    one_step = teacher_jump(gaussian, x, world_sigmas(1, 5.0))
    torch.testing.assert_close(one_step, gaussian(x, torch.full((3,), 5.0)))


def test_a_student_that_knows_the_end_has_no_loss_and_another_has_some():
    x, sigmas = 5 * torch.randn(4, 3, generator=torch.Generator().manual_seed(1)), world_sigmas(6, 5.0)
    knows = lambda x, sigma: teacher_jump(gaussian, x, sigmas)  # noqa: E731
    assert consistency_loss(knows, gaussian, gaussian, x, sigmas).abs().max() == 0
    assert consistency_loss(gaussian, gaussian, gaussian, x, sigmas).min() > 0


def test_the_target_is_asked_above_level_zero_alone():
    asked = []

    def target(x, sigma):
        asked.append(float(sigma[0]))
        return gaussian(x, sigma)

    x = torch.randn(2, 3, generator=torch.Generator().manual_seed(2))
    consistency_loss(gaussian, target, gaussian, x, torch.tensor([3.0, 1.0, 0.0]))
    consistency_loss(gaussian, target, gaussian, x, torch.tensor([3.0, 1.0]))
    assert asked == [1.0]


def test_the_distance_is_square_near_and_absolute_far():
    due = torch.zeros(2, 5)
    near, far = beside_truth(torch.full((2, 5), 1e-3), due), beside_truth(torch.full((2, 5), 1.0), due)
    torch.testing.assert_close(near, torch.full((2,), 1e-6 / 2 / 0.05), rtol=1e-2, atol=1e-9)
    torch.testing.assert_close(far, torch.full((2,), 0.95), rtol=1e-2, atol=0)
