"""Guidance by picture and by text: what it is at special strengths, against diffusers, and in the pipeline."""

import pytest
import torch
from diffusers.guiders.guider_utils import rescale_noise_cfg

from common.diffusion.dual_guidance import DualGuidance, dual_guidance, hide_first_frame, rescale_guidance
from common.diffusion.guidance import Guidance


def noise(seed, *size):
    return torch.randn(size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_equal_strengths_are_plain_guidance():
    uncond, image, both = (noise(k, 2, 3, 4) for k in range(3))
    plain = Guidance(lambda x, level, c: c, [both], [uncond], 3.0)(uncond, torch.zeros(2))
    assert torch.allclose(dual_guidance(uncond, image, both, 3.0, 3.0), plain)


def test_ones_are_the_plain_prediction():
    uncond, image, both = (noise(k, 2, 3, 4) for k in range(3))
    assert torch.allclose(dual_guidance(uncond, image, both, 1.0, 1.0), both)


def test_rescaled_as_diffusers_does():
    guided, cond = 3 * noise(0, 3, 4, 5) + 1, noise(1, 3, 4, 5)
    assert torch.allclose(rescale_guidance(guided, cond, 0.7), rescale_noise_cfg(guided, cond, 0.7))


def test_rescaled_whole_has_the_spread_of_the_conditional_one():
    guided, cond = 3 * noise(0, 3, 40) + 1, noise(1, 3, 40)
    assert torch.allclose(rescale_guidance(guided, cond, 1.0).std(dim=1), cond.std(dim=1))


def test_a_hidden_frame_is_what_text_to_video_would_have_there():
    picture, eps = noise(0, 2, 3, 1, 4, 4), noise(1, 2, 3, 5, 4, 4)
    s = torch.tensor([0.3, 1.0], dtype=torch.float64)
    share = s[:, None, None, None, None]
    x = torch.cat([picture, eps[:, :, 1:]], dim=2)
    level = s[:, None] * torch.tensor([0, 1, 1, 1, 1])
    hidden, levels = hide_first_frame(x, level, eps[:, :, :1])
    assert torch.allclose(hidden[:, :, :1], (1 - share) * picture + share * eps[:, :, :1])
    assert torch.equal(hidden[:, :, 1:], x[:, :, 1:]) and torch.equal(levels, s[:, None].expand(2, 5))


def test_one_call_asks_for_all_three():
    asked = []

    def predict(x, level, words):
        asked.append((len(x), level[:, 0].tolist(), words.flatten().tolist()))
        return words[:, None, None, None, None] * torch.ones_like(x)

    x, level = noise(0, 1, 2, 3, 4, 4), torch.tensor([[0.0, 0.5, 0.5]])
    guided = DualGuidance(predict, [torch.tensor([5.0])], [torch.tensor([1.0])], 2.0, 3.0, noise(1, 1, 2, 1, 4, 4))
    made = guided(x, level)
    assert asked == [(3, [0.5, 0.0, 0.0], [1.0, 1.0, 5.0])]
    assert torch.allclose(made, torch.full_like(made, 1 + 3 * 4))  # the picture changes nothing here, the text 4


def test_shapes_and_strengths_that_do_not_fit_are_refused():
    a = torch.zeros(2, 3)
    state = torch.zeros(1, 2, 3, 4, 4)
    calls = [
        lambda: dual_guidance(a, a, a[:1], 1, 1),
        lambda: dual_guidance(a, a, a, -1, 1),
        lambda: rescale_guidance(a, a[:1], 0.5),
        lambda: rescale_guidance(a, a, 2),
        lambda: hide_first_frame(state, torch.zeros(1, 2), state[:, :, :1]),
    ]
    for call in calls:
        with pytest.raises(ValueError):
            call()
