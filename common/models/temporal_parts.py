"""The temporal layers of `common.layers.temporal` in diffusers' video U-Net, in place of its own.

    with_own_layers(model)      # the same weights, the same output; every temporal layer is now ours

Weights keep their names. What differs is the form of what comes in: diffusers folds frames into the batch.
"""

from typing import Any

import torch
from diffusers.models import resnet
from diffusers.models.attention import TemporalBasicTransformerBlock as TheirBlock
from diffusers.models.unets.unet_spatio_temporal_condition import UNetSpatioTemporalConditionModel
from einops import rearrange
from torch import nn

from common.layers import temporal


def with_own_layers(model: UNetSpatioTemporalConditionModel, layers: Any = None) -> UNetSpatioTemporalConditionModel:
    """Put the library's layers in place of a model's temporal layers, and hand them its weights.

    Args:
        model: it is changed.
        layers: what has `TemporalResnetBlock`, `AlphaBlender` and `TemporalTransformerBlock` as attributes, such as a
            module; None for `common.layers.temporal`.

    Returns:
        The same model.
    """
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            own = own_layer(child, layers or temporal)
            if own is not None:
                own.load_state_dict(child.state_dict())
                for parameter, theirs in zip(own.parameters(), child.parameters(), strict=True):
                    parameter.requires_grad_(theirs.requires_grad)
                setattr(parent, name, own.to(next(child.parameters())).train(child.training))
    return model


def own_layer(layer: nn.Module, layers: Any) -> nn.Module | None:
    """A layer out of `layers` for one of diffusers', with fresh weights; None for a layer that is not temporal."""
    child: Any = layer
    if isinstance(layer, resnet.TemporalResnetBlock):
        return layers.TemporalResnetBlock(child.conv1.in_channels, child.time_emb_proj.in_features, child.norm1.eps)
    if isinstance(layer, resnet.AlphaBlender):
        return adapted(layers.AlphaBlender, blended)()
    if isinstance(layer, TheirBlock):
        heads, context_dim = child.attn1.heads, child.attn2.to_k.in_features
        return adapted(layers.TemporalTransformerBlock, transformed)(child.norm1.normalized_shape[0], heads,
                                                                            context_dim)  # fmt: skip
    return None


def adapted(kind: type[nn.Module], forward) -> type[nn.Module]:
    """A class with the weights of `kind`, whose `forward` takes what diffusers hands to its own layer."""
    return type(kind.__name__, (kind,), {"forward": lambda self, *given, **named: forward(kind, self, *given, **named)})


def blended(kind, layer, x_spatial: torch.Tensor, x_temporal: torch.Tensor, image_only_indicator: torch.Tensor):
    """Clips `(B, C, T, H, W)`, or tokens of frames `(B T, N, C)`."""
    if x_spatial.ndim == 5:
        x_spatial, x_temporal = x_spatial.movedim(2, 1), x_temporal.movedim(2, 1)
        return kind.forward(layer, x_spatial, x_temporal, image_only_indicator).movedim(1, 2)
    num_frames = image_only_indicator.shape[1]
    spatial, moving = (rearrange(x, "(b t) n c -> b t n c", t=num_frames) for x in (x_spatial, x_temporal))
    return rearrange(kind.forward(layer, spatial, moving, image_only_indicator), "b t n c -> (b t) n c")


def transformed(kind, layer, hidden_states: torch.Tensor, num_frames: int, encoder_hidden_states: torch.Tensor):
    """Tokens of frames `(B T, N, C)`, and the prompt's states once for each place, `(B N, L, D)`."""
    x = rearrange(hidden_states, "(b t) n c -> b t n c", t=num_frames)
    states = encoder_hidden_states[:: x.shape[2]]  # (B, L, D)
    return rearrange(kind.forward(layer, x, states), "b t n c -> (b t) n c")
