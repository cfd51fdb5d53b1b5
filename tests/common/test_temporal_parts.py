"""Our temporal layers in diffusers' video U-Net: the same weights give the same clip and the same gradients."""

import torch

from common.layers import temporal
from common.models.inflated_model import InflatedUNet
from common.models.inflated_unet import new_parameters
from common.models.temporal_parts import with_own_layers
from common.zoo.sprites_image.recipe import RECIPE


def model() -> InflatedUNet:
    torch.manual_seed(0)
    found = InflatedUNet.of(RECIPE.build_model("ci"), in_channels=32, num_frames=5).eval()
    with torch.no_grad():
        for parameter in new_parameters(found).values():
            parameter += 0.1 * torch.randn(parameter.shape)
    return found


def test_the_clip_and_the_gradients_are_those_of_diffusers_layers():
    theirs, ours = model(), with_own_layers(model())
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    generator = torch.Generator().manual_seed(1)
    x, states = torch.randn(2, 5, 32, 4, 4, generator=generator), torch.randn(2, 6, 384, generator=generator)
    found = [
        one(x, torch.tensor([0.1, -0.4]), states, torch.tensor([[3.0, 60.0, 0.02], [7.0, 5.0, 0.1]])).sample
        for one in (theirs, ours)
    ]
    assert torch.allclose(*found, atol=1e-5)
    for clip in found:
        clip.square().mean().backward()
    gradients = [{name: p.grad for name, p in one.named_parameters() if p.grad is not None} for one in (theirs, ours)]
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.allclose(gradients[0][name], gradients[1][name], atol=1e-5) for name in gradients[0])


def test_all_temporal_layers_are_ours():
    kinds = [type(module) for module in with_own_layers(model()).modules()]
    own = (temporal.TemporalResnetBlock, temporal.AlphaBlender, temporal.TemporalTransformerBlock)
    assert [sum(issubclass(kind, one) for kind in kinds) for one in own] == [8, 12, 4]
    assert not any("diffusers" in kind.__module__ and "Temporal" in kind.__name__ for kind in kinds
                   if kind.__name__ not in ("TransformerSpatioTemporalModel",) and "Block" in kind.__name__
                   and "SpatioTemporal" not in kind.__name__)  # fmt: skip
