"""Layers from which the models are built. Each is one idea; caches go in and come out."""

from common.layers.attention import CrossAttention, KeyValues, SelfAttention, frame_causal_mask
from common.layers.causal_conv import CausalConv3d, causal_downsample, inflate_causal
from common.layers.modulation import AdaLNZero, Modulation, timestep_features
from common.layers.norm import ChannelNorm, HeadNorm, plain_norm
from common.layers.resample import Downsample, Upsample
from common.layers.residual import FactorizedBlock
from common.layers.rope import rotate, rotations

__all__ = ["AdaLNZero", "CausalConv3d", "ChannelNorm", "CrossAttention", "Downsample", "FactorizedBlock", "HeadNorm",
           "KeyValues", "Modulation", "SelfAttention", "Upsample", "causal_downsample", "frame_causal_mask",
           "inflate_causal", "plain_norm", "rotate", "rotations", "timestep_features"]  # fmt: skip
