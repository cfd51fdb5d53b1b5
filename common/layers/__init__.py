"""Layers from which the models are built. Each is one idea; caches go in and come out."""

from common.layers.attention import CrossAttention, KeyValues, SelfAttention, frame_causal_mask
from common.layers.causal_conv import CausalConv3d, causal_downsample, inflate_causal
from common.layers.joint_attention import JointAttention, MMDiTBlock, joint_mask
from common.layers.modulation import AdaLNZero, Modulation, timestep_features
from common.layers.norm import ChannelNorm, HeadNorm, plain_norm
from common.layers.packing import block_diagonal_mask, pack, unpack
from common.layers.resample import Downsample, Upsample
from common.layers.residual import FactorizedBlock
from common.layers.rope import rotate, rotations

__all__ = ["AdaLNZero", "CausalConv3d", "ChannelNorm", "CrossAttention", "Downsample", "FactorizedBlock", "HeadNorm",
           "JointAttention", "KeyValues", "MMDiTBlock", "Modulation", "SelfAttention", "Upsample",
           "block_diagonal_mask", "causal_downsample", "frame_causal_mask", "inflate_causal", "joint_mask", "pack",
           "plain_norm", "rotate", "rotations", "timestep_features", "unpack"]  # fmt: skip
