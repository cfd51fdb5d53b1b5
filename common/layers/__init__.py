"""Layers from which the models are built. Each is one idea, on tensors `(B, C, T, H, W)`; caches go in and come out."""

from common.layers.causal_conv import CausalConv3d
from common.layers.norm import ChannelNorm
from common.layers.residual import FactorizedBlock

__all__ = ["CausalConv3d", "ChannelNorm", "FactorizedBlock"]
