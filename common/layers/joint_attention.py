"""MMDiT: text and video in one attention, each with weights of its own (Stable Diffusion 3, arXiv:2403.03206).

The video attends to the text and the text to the video, in one softmax. So the text's states change from block to
block, which those that cross-attention reads never do.
"""

import torch
from einops import rearrange
from torch import nn

from common.layers.attention import KeyValues, attend, check_heads
from common.layers.modulation import AdaLNZero
from common.layers.norm import HeadNorm
from common.layers.rope import rotate

NUM_BRANCHES = 2  # of each stream in a block: attention, feed-forward


def joint_mask(text_mask: torch.Tensor, num_tokens: int) -> torch.Tensor:
    """Who may be looked at in joint attention: every token of the video, and every token of the text but padding.

    Args:
        text_mask: `(B, L)`, bool, or numbers: 1 for a token, 0 for padding.
        num_tokens: N of the video, which come before those of the text; 0 or more.

    Returns:
        bool `(B, 1, 1, N + L)`, True for "may be looked at": the same for every head and every token that looks. It is
        on the device of `text_mask`.
    """
    video = text_mask.new_ones(len(text_mask), num_tokens, dtype=torch.bool)
    return torch.cat([video, text_mask.bool()], dim=1)[:, None, None, :]


class Stream(nn.Module):
    """The projections of one modality: queries, keys and values in, and the output layer.

    Args:
        dim: D of a token.
        num_heads: divides D.
    """

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.to_qkv = nn.Linear(dim, 3 * dim)
        self.norm_q = HeadNorm(dim // num_heads)
        self.norm_k = HeadNorm(dim // num_heads)
        self.to_out: nn.Module = nn.Linear(dim, dim)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """`(B, N, D)` to queries, keys and values `(B, N, num_heads, head_dim)`, the first two normalised."""
        q, k, v = rearrange(self.to_qkv(x), "b n (three h d) -> three b n h d", three=3, h=self.num_heads)
        return self.norm_q(q), self.norm_k(k), v


class JointAttention(nn.Module):
    """Joint attention: two sets of weights, one softmax over the tokens of the video and of the text together.

    With QK-norm in each stream. RoPE turns the video's tokens alone: a text has no place in the grid, and its order
    is in its states already.

    Args:
        dim: D of a token of either stream.
        num_heads: divides D.
    """

    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        check_heads(dim, num_heads)
        self.video = Stream(dim, num_heads)
        self.text = Stream(dim, num_heads)

    def forward(
        self,
        x: torch.Tensor,
        text: torch.Tensor,
        rotation: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Attend: every token, of the video or of the text, gathers from all that may be looked at.

        1. `self.video(x)` and `self.text(text)` give queries, keys and values of their stream, `(B, N or L, num_heads,
           head_dim)`, the first two normalised.
        2. `rotate` turns the video's queries and keys, and nothing of the text.
        3. The two sequences are laid end to end, the video first. `attend` lets all queries meet all keys, in one
           softmax, under the mask.
        4. Each stream's part of the result goes through that stream's own `to_out`.

        Args:
            x: tokens of the video, `(B, N, D)`.
            text: `(B, L, D)`.
            rotation: places of the video's tokens, `(N, head_dim / 2)`, from `rotations`; None for no places.
            mask: from `joint_mask`, or any that meets `(B, num_heads, N + L, N + L)`; None for all.

        Returns:
            A tuple: the video `(B, N, D)` and the text `(B, L, D)`. What comes out at padding means nothing.
        """
        q, k, v = self.video(x)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        q, k, v = (torch.cat(pair, dim=1) for pair in zip((q, k, v), self.text(text)))  # (B, N + L, h, d) each
        seen = KeyValues(*(rearrange(part, "b n h d -> b h n d") for part in (k, v)))
        from_video, from_text = attend(q, seen, mask).split([x.shape[1], text.shape[1]], dim=1)
        return self.video.to_out(from_video), self.text.to_out(from_text)


class MMDiTBlock(nn.Module):
    """An MMDiT block: joint attention, then a feed-forward network for each stream, all modulated by AdaLN-Zero.

    Args:
        dim: D of a token of either stream.
        num_heads: of the attention.
        ffn_dim: width of both feed-forward networks.
        is_last: the block after which no one reads the text: that stream's second half is left out.
    """

    def __init__(self, dim: int, num_heads: int, ffn_dim: int, is_last: bool = False):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.text_modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = JointAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))
        self.text_ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))
        if is_last:
            self.text_ffn: nn.Module = nn.Identity()
            self.attention.text.to_out = nn.Identity()
        self.is_last = is_last

    def forward(self, x, text, signal, text_signal, rotation=None, mask=None):
        """Two residual branches in each stream: joint attention, then feed-forward.

        The modulations of the video are `self.modulation(signal)`, those of the text
        `self.text_modulation(text_signal)`, in the order of the branches. Each branch computes `modulation.enter(x)`,
        then its network, then `x = modulation.leave(x, out)`: the second branch sees the result of the first.

        `self.attention` takes the video's tokens of all frames as one sequence, `(B, T' · S, D)`, frame by frame, and
        the text `(B, L, D)`; both enter it modulated. Modulations meet tokens `(B, T', S, D)`, so for them a text is a
        clip of one frame, `(B, 1, L, D)`.

        In the last block (`self.is_last`) the text only lends its keys and values: it comes out as it came in, and
        neither its `leave` nor `self.text_ffn` is needed.

        Args:
            x: tokens of the video `(B, T', S, D)`, S in each frame.
            text: `(B, L, D)`.
            signal: `(B, T' or 1, 6 D)`, from the noise levels.
            text_signal: `(B, 1, 6 D)`, for the text.
            rotation: for the attention, as there.
            mask: for the attention, as there.

        Returns:
            A tuple: both streams in their shapes.
        """
        num_frames = x.shape[1]
        own, ffn = self.modulation(signal)
        text_own, text_ffn = self.text_modulation(text_signal)
        lone = text[:, None]  # (B, 1, L, D): the text as a clip of one frame
        video_in = rearrange(own.enter(x), "b t s d -> b (t s) d")
        out, text_out = self.attention(video_in, text_own.enter(lone)[:, 0], rotation, mask)
        x = own.leave(x, rearrange(out, "b (t s) d -> b t s d", t=num_frames))
        x = ffn.leave(x, self.ffn(ffn.enter(x)))
        if self.is_last:
            return x, text
        lone = text_own.leave(lone, text_out[:, None])
        return x, text_ffn.leave(lone, self.text_ffn(text_ffn.enter(lone)))[:, 0]
