"""Errors as losses: what they weigh, and that their slopes meet where they should."""

import torch

from common.training.losses import TYPICAL, log_rms, rms


def constant(*sizes: float) -> torch.Tensor:
    """Differences of these sizes, one sample each: `(B, 3, 2, 4, 4)`."""
    return torch.tensor(sizes)[:, None, None, None, None].expand(-1, 3, 2, 4, 4).clone()


def test_rms_is_a_mean_of_roots_and_no_root_of_a_mean():
    torch.testing.assert_close(rms(constant(0.1, 0.3)), torch.tensor(0.2), rtol=1e-3, atol=0)


def test_ten_per_cent_count_the_same_in_every_sample():
    gains = [log_rms(constant(size)) - log_rms(constant(0.9 * size)) for size in (0.05, 0.5)]
    torch.testing.assert_close(gains[0], gains[1], rtol=1e-3, atol=0)


def test_the_slopes_meet_at_the_typical_error():
    slopes = []
    for loss in (rms, log_rms):
        leaf = constant(TYPICAL).requires_grad_()
        slopes += torch.autograd.grad(loss(leaf), leaf)
    torch.testing.assert_close(*slopes, rtol=1e-3, atol=0)


def test_no_error_has_a_finite_slope():
    leaf = constant(0.0).requires_grad_()
    for loss in (rms, log_rms):
        assert torch.isfinite(torch.autograd.grad(loss(leaf), leaf)[0]).all()
