"""An autoregressive transformer over video tokens: the second family of video generators, beside diffusion.

It says how likely the next token is, given the text and all tokens before it, and a clip is drawn token by token, as
language models write (VideoGPT, arXiv:2104.10157; MAGVIT-v2, arXiv:2310.05737; VideoPoet, arXiv:2312.14125).

Two things keep it small. A patch of 2×2 places of the latent grid is one position of the sequence, as in the diffusion
transformer of the same world. And no layer has an output for each of the 64,000 tokens. A token of finite scalar
quantization is a number of six digits, its levels, and the patch has 24 of them, which a small head draws one after the
other: digit k depends on the position's state and on the digits before it (NADE, arXiv:1605.02226).
"""

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.layers import CrossAttention, KeyValues, SelfAttention, plain_norm, rotations
from common.layers.quantization import LEVELS
from common.models.shipped import Shipped

PRESETS = {
    "ci": {"dim": 48, "num_layers": 2, "num_heads": 2, "ffn_dim": 96},
    "cpu": {"dim": 128, "num_layers": 5, "num_heads": 4, "ffn_dim": 448},
    "gpu": {"dim": 128, "num_layers": 5, "num_heads": 4, "ffn_dim": 448},
}  # the default arm of the `mini` world has the same blocks


class TokenBlock(nn.Module):
    """A decoder block: causal self-attention, cross-attention to the text, feed-forward; each after a norm, and added.

    Args:
        dim: D of a position.
        num_heads: of both attentions.
        ffn_dim: width of the feed-forward network.
    """

    def __init__(self, dim: int, num_heads: int, ffn_dim: int):
        super().__init__()
        self.attention = SelfAttention(dim, num_heads)
        self.cross_attention = CrossAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))

    def init_weights(self) -> None:
        """Make the block the identity."""
        for branch in (self.attention, self.cross_attention, self.ffn):
            nn.init.zeros_(branch.get_parameter("2.weight" if branch is self.ffn else "to_out.weight"))

    def forward(self, x, text, text_mask=None, rotation=None, mask=None, cache: KeyValues | None = None):
        """`(B, N, D)` to the same, and the KV cache of the self-attention; arguments as for the two attentions."""
        out, cache = self.attention(plain_norm(x).to(x.dtype), rotation, mask, cache)
        x = x + out
        x = x + self.cross_attention(plain_norm(x).to(x.dtype), text, text_mask)
        return x + self.ffn(plain_norm(x).to(x.dtype)), cache


class DigitHead(nn.Module):
    """Distributions of the K digits of a position, one after the other (NADE, arXiv:1605.02226).

        a_k = W h + b_k + Σ_{i<k} E_i[d_i],   p(d_k | h, d_{<k}) = softmax(V_k gelu(a_k))

    Args:
        dim: D of h.
        levels: L_k of each digit, K of them.
        hidden_dim: of a.
    """

    def __init__(self, dim: int, levels: Sequence[int], hidden_dim: int):
        super().__init__()
        self.levels = tuple(levels)
        count, widest = len(levels), max(levels)
        self.hidden_in = nn.Linear(dim, hidden_dim)
        self.digit_in = nn.Parameter(torch.randn(count, widest, hidden_dim) * 0.1)  # E
        self.bias = nn.Parameter(torch.randn(count, hidden_dim) * 0.1)  # b
        self.logits_out = nn.Parameter(torch.randn(count, widest, hidden_dim) * hidden_dim**-0.5)  # V
        absent = torch.arange(widest) >= torch.tensor(levels)[:, None]  # (K, widest)
        self.register_buffer("absent", absent, persistent=False)

    def forward(self, hidden: torch.Tensor, digits: torch.Tensor) -> torch.Tensor:
        """Teacher forcing: all digits at once.

        Args:
            hidden: `(B, N, D)`.
            digits: the true ones, int64 `(B, N, K)`.

        Returns:
            Logits `(B, N, K, max L)`, float32; -inf for levels that a digit does not have.
        """
        places = torch.arange(len(self.levels), device=digits.device)
        known = self.digit_in[places, digits]  # (B, N, K, hidden_dim)
        before = F.pad(known.cumsum(dim=2)[:, :, :-1], (0, 0, 1, 0))
        state = F.gelu(self.hidden_in(hidden)[:, :, None] + self.bias + before)
        logits = torch.einsum("bnkd,kld->bnkl", state, self.logits_out.to(state.dtype)).float()
        return logits.masked_fill(self.absent, -torch.inf)

    def draw(self, hidden: torch.Tensor, chances: torch.Tensor, guidance_scale: float, temperature: float):
        """Draw the digits of one position.

        Args:
            hidden: `(2 B, D)`: with the text, then without; the same digits are drawn for both.
            chances: uniform in [0, 1), `(B, K)`: what decides each digit.
            guidance_scale: as in classifier-free guidance, on the logits; 1 for none.
            temperature: by which the logits are divided.

        Returns:
            int64 `(B, K)`.
        """
        sums, drawn = self.hidden_in(hidden), []
        for k in range(len(self.levels)):
            logits = F.gelu(sums + self.bias[k]) @ self.logits_out[k].T  # (2 B, max L)
            asked, free = logits.float().masked_fill(self.absent[k], -1e9).chunk(2)
            chance = torch.softmax((free + guidance_scale * (asked - free)) / temperature, dim=-1).cumsum(dim=-1)
            digit = (chance <= chances[:, k, None]).sum(dim=-1).clamp(max=self.levels[k] - 1)  # (B,)
            sums = sums + self.digit_in[k, digit].repeat(2, 1)
            drawn.append(digit)
        return torch.stack(drawn, dim=1)


class TokenTransformer(Shipped, ModelMixin, ConfigMixin):
    """The autoregressive transformer. `from_pretrained("mini-tokens")` gives the one that ships with the library.

    Args:
        levels: of the tokenizer's channels, C of them.
        latent_size: T', H', W' of a clip's tokens: a model of one size of clip.
        patch_size: rows and columns of the token grid that make one position. It has K = C · patch_size² digits.
        dim: D of a position.
        num_layers: blocks.
        num_heads: of each attention.
        ffn_dim: width of the feed-forward networks.
        text_dim: of the text encoder's states.
    """

    @register_to_config
    def __init__(
        self,
        levels: Sequence[int] = LEVELS,
        latent_size: Sequence[int] = (3, 8, 8),
        patch_size: int = 2,
        dim: int = 128,
        num_layers: int = 5,
        num_heads: int = 4,
        ffn_dim: int = 448,
        text_dim: int = 384,
    ):
        super().__init__()
        frames, rows, columns = latent_size
        self.grid = (frames, rows // patch_size, columns // patch_size)
        self.digit_levels = tuple(levels) * patch_size**2
        self.codes_in = nn.Linear(len(self.digit_levels), dim)
        self.places = nn.Parameter(torch.zeros(self.num_positions, dim))
        self.text_in = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.blocks = nn.ModuleList(TokenBlock(dim, num_heads, ffn_dim) for _ in range(num_layers))
        self.head = DigitHead(dim, self.digit_levels, 2 * dim)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: outputs about as large as inputs; every block begins as the identity."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, std=module.in_features**-0.5)
                nn.init.zeros_(module.bias)
        nn.init.normal_(self.places, std=0.5)
        for module in self.modules():
            if isinstance(module, TokenBlock):
                module.init_weights()

    @property
    def num_positions(self) -> int:
        """N of a clip."""
        frames, rows, columns = self.grid
        return frames * rows * columns

    def to_positions(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes `(B, C, T', H', W')` to the sequence `(B, N, K)`: by frame, row, column; digits by place, channel."""
        p = self.config.patch_size
        return rearrange(codes, "b c t (h p) (w q) -> b (t h w) (p q c)", p=p, q=p)

    def to_codes(self, positions: torch.Tensor) -> torch.Tensor:
        """The way back."""
        (frames, rows, columns), p = self.grid, self.config.patch_size
        return rearrange(positions, "b (t h w) (p q c) -> b c t (h p) (w q)", t=frames, h=rows, w=columns, p=p, q=p)

    def to_digits(self, positions: torch.Tensor) -> torch.Tensor:
        """Codes in [-1, 1] to the numbers of their levels, int64; the shape `(..., K)` stays."""
        half = torch.tensor(self.digit_levels, device=positions.device) // 2
        return (positions * half + half).round().long()

    def from_digits(self, digits: torch.Tensor) -> torch.Tensor:
        """The way back, float32."""
        half = torch.tensor(self.digit_levels, device=digits.device) // 2
        return (digits - half).float() / half

    def forward(
        self,
        positions: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        encoder_attention_mask: torch.Tensor | None = None,
        caches: list[KeyValues] | None = None,
        first: int = 0,
    ) -> tuple[torch.Tensor, list[KeyValues]]:
        """States from which the next positions' digits are predicted. No state depends on a later position.

        Args:
            positions: codes that come *before* each of n positions, `(B, n, K)`: zeros before the very first.
            encoder_hidden_states: states of the text's tokens, `(B, L, text_dim)`.
            encoder_attention_mask: `(B, L)`, True for a token; None for all.
            caches: of the positions before these, as they came out; None at the beginning.
            first: number of the first of the n.

        Returns:
            `(B, n, D)`, and the caches for the next piece.
        """
        count = positions.shape[1]
        x = self.codes_in(positions.to(self.places.dtype)) + self.places[first : first + count]
        text = self.text_in(plain_norm(encoder_hidden_states).to(x.dtype))
        head_dim = self.config.dim // self.config.num_heads
        rotation = rotations(self.grid, head_dim, device=x.device)[first : first + count]
        mask = torch.ones(count, first + count, dtype=torch.bool, device=x.device).tril(first)
        later = []
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks), strict=True):
            x, cache = block(x, text, encoder_attention_mask, rotation, mask, cache)
            later.append(cache)
        return plain_norm(x).to(x.dtype), later

    def negative_log_likelihood(self, codes: torch.Tensor, states: torch.Tensor, mask=None) -> torch.Tensor:
        """How surprising each digit of a clip is, given the text and all digits before it (teacher forcing).

        Args:
            codes: `(B, C, T', H', W')` in [-1, 1].
            states: `(B, L, text_dim)`.
            mask: `(B, L)`, True for a token.

        Returns:
            Nats, `(B, N, K)`. Their sum over a clip is -log p(clip | text).
        """
        positions = self.to_positions(codes)
        digits = self.to_digits(positions)
        hidden, _ = self(F.pad(positions[:, :-1], (0, 0, 1, 0)), states, mask)
        logits = self.head(hidden, digits)  # (B, N, K, max L)
        return F.cross_entropy(logits.movedim(-1, 1), digits, reduction="none")


@torch.no_grad()
def generate_codes(
    model: TokenTransformer,
    states: torch.Tensor,
    mask: torch.Tensor,
    seeds: Sequence[torch.Generator],
    guidance_scale: float = 1.0,
    temperature: float = 1.0,
) -> torch.Tensor:
    """Draw a clip for each text, position by position, with a KV cache.

    Args:
        model: trained, with some samples' texts left empty.
        states: of B texts and, last, the empty one: `(B + 1, L, text_dim)`.
        mask: `(B + 1, L)`, True for a token.
        seeds: one per clip.
        guidance_scale: of classifier-free guidance (arXiv:2207.12598) on the logits; 1 for none.
        temperature: below 1 the likely digits become likelier still.

    Returns:
        Codes `(B, C, T', H', W')` in [-1, 1].
    """
    num_clips, num_digits = len(seeds), len(model.digit_levels)
    chosen = torch.cat([torch.arange(num_clips), torch.full((num_clips,), num_clips)])
    states, mask = states[chosen], mask[chosen]
    chances = torch.stack([torch.rand(model.num_positions, num_digits, generator=seed) for seed in seeds])
    previous, caches, made = states.new_zeros(num_clips, num_digits), None, []
    for place in range(model.num_positions):
        hidden, caches = model(previous.repeat(2, 1)[:, None], states, mask, caches, place)
        digits = model.head.draw(hidden[:, 0], chances[:, place].to(hidden.device), guidance_scale, temperature)
        previous = model.from_digits(digits)
        made.append(previous)
    return model.to_codes(torch.stack(made, dim=1))
