"""The short loop: the steps of the optimizer it is given, at rates that fall in a straight line."""

import pytest
import torch

from common.training.short_run import short_run


def run(num_steps=4, **options):
    """Gradient descent on a slope of 1: each step moves the parameter by its learning rate."""
    x = torch.nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([x], lr=0.1)
    asked, places = [], []

    def loss(step):
        asked.append(step)
        places.append(x.detach().clone()[0].item())
        return x.sum()

    losses = short_run(optimizer, loss, num_steps, **options)
    steps = [-b + a for a, b in zip(places, [*places[1:], x[0].item()])]
    return steps, losses, asked, optimizer


def test_each_step_is_asked_for_once_and_its_loss_comes_back():
    steps, losses, asked, _ = run(decay=0)
    assert asked == [0, 1, 2, 3] and steps == pytest.approx([0.1] * 4)
    assert losses == pytest.approx([0, -0.2, -0.4, -0.6])


@pytest.mark.parametrize(("decay", "factors"), [(0.5, [1, 1, 1, 0.5]), (1.0, [1, 0.75, 0.5, 0.25])])
def test_the_rate_falls_over_the_last_part(decay, factors):
    assert run(decay=decay)[0] == pytest.approx([0.1 * factor for factor in factors])


def test_long_gradients_are_shortened():
    assert run(decay=0, max_grad_norm=0.5)[0] == pytest.approx([0.1 * 0.5 / 2**0.5] * 4, rel=1e-4)


def test_a_part_of_a_run_is_at_most_the_run():
    with pytest.raises(ValueError, match="from 0 to 1"):
        run(decay=1.5)
