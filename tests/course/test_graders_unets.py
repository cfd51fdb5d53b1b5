"""Oracles of lab 04.1 against the library's parts, and that each of their mistakes is one."""

import pytest
import torch
from diffusers.models.attention import BasicTransformerBlock
from diffusers.models.resnet import ResnetBlock2D

from common.course.graders import stand_ins, unets
from common.course.graders.values import noise, uniform
from common.diffusion.video_loss import video_loss
from common.layers.two_plus_one import Conv2Plus1d, TemporalAttention
from common.models.video_unet import inflate_unet


@torch.no_grad()
def test_layers_are_alike_and_every_wrong_order_shows():
    spatial, temporal = unets.Pictures(), unets.InTime()
    given = noise(0, 2, 3, 3, 4, 5).double(), noise(1, 2, 3, 6).double()
    truth = Conv2Plus1d(spatial, temporal)(*given)
    torch.testing.assert_close(unets.in_order(spatial, temporal, *given), truth)
    for wrong in ({"order": "t b"}, {"swap": True}, {"late": False}, {"told": torch.zeros_like}):
        assert not torch.allclose(unets.in_order(spatial, temporal, *given, **wrong), truth, atol=1e-3), wrong


@torch.no_grad()
@pytest.mark.parametrize("context_dim", [None, 10])
def test_attention_is_alike_and_every_wrong_one_shows(context_dim):
    layer = stand_ins.fill(TemporalAttention(24, 3, context_dim), 0, 0.4).double()
    x = noise(1, 2, 4, 3, 24).double()
    context = None if context_dim is None else noise(2, 2, 5, 10).double()
    truth = layer(x, context)
    torch.testing.assert_close(unets.attended(layer, x, context), truth)
    wrong = [
        {"heads": "strided"},
        {"scale": 24},
        {"scale": 1},
        {"out": False},
        {"residual": True},
        {"softmax_over": -2},
    ]
    wrong += [{"along": "all"}, {"mask": True}] if context is None else [{"prompt": lambda c, b, k: c[k % 2]}]
    for how in wrong:
        assert not torch.allclose(unets.attended(layer, x, context, **how), truth, atol=1e-3), how
    if context is None:
        assert not torch.allclose(unets.frames_of_frame(layer, x), truth, atol=1e-3)


def test_a_small_unet_is_inflated_as_it_should_be():
    unet = unets.small_unet(0)
    blocks = sum(isinstance(module, (ResnetBlock2D, BasicTransformerBlock)) for module in unet.modules())
    found = inflate_unet(unet, unets.Behind, unets.Behind)
    assert sum(isinstance(module, unets.Behind) for module in found.modules()) == blocks > 8


def test_losses_are_alike():
    given = (unets.Formula(), noise(0, 3, 2, 4, 2, 3), noise(1, 3, 2, 4, 2, 3), uniform(2, 3, low=0.3, high=3.0),
             noise(3, 3, 5, 4), noise(4, 1, 5, 4), torch.tensor([True, False, True]))  # fmt: skip
    torch.testing.assert_close(unets.loss_of(*given).float(), video_loss(*given).detach(), rtol=1e-4, atol=1e-5)
