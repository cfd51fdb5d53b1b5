"""A causal video tokenizer: the video autoencoder with finite scalar quantization (FSQ) between encoder and decoder.

A clip of 17 frames of 64×64 pixels becomes 5·8·8 = 320 tokens, each one of 64,000: 320 whole numbers are a clip. It is
the encoder and the decoder of `CausalVideoVAE`, weight for weight, so what the two differ in is the latent alone: 16
floats of a posterior there, 6 channels with a few levels here. MAGVIT-v2 (arXiv:2310.05737) showed that with such
tokens a language model generates video; VidTok (arXiv:2412.13061) compares both kinds of latent at scale.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import nn

from common.layers import causal_downsample
from common.layers.quantization import FSQ, LEVELS, indices_to_codes
from common.layers.residual import FactorizedBlock
from common.models.autoencoder import PRESETS, Cache, CausalVideoVAE, Decoder, Encoder
from common.models.outputs import DecoderOutput
from common.models.shipped import Shipped

__all__ = ["PRESETS", "CausalVideoFSQ", "Codes"]
NATURAL_STD = 0.9  # of what goes into a tanh: a bell curve of this width comes out nearly uniform


@dataclass(frozen=True)
class Codes:
    """What a tokenizer's encoder gives, in the place of a posterior: there is nothing to draw, all of it is the mode.

    Attributes:
        codes: `(B, C, T', H', W')` in [-1, 1].
        indices: the same as tokens, int64 `(B, T', H', W')`.
    """

    codes: torch.Tensor
    indices: torch.Tensor

    def mode(self) -> torch.Tensor:
        """The codes."""
        return self.codes

    def sample(self, generator: torch.Generator | None = None) -> torch.Tensor:
        """The codes: every draw is the same."""
        return self.codes


def set_matrix(conv: nn.Conv3d, matrix: torch.Tensor, offset: torch.Tensor) -> None:
    """Make a 1×1×1 convolution the map x to `matrix` x + `offset`."""
    conv.load_state_dict({"weight": matrix[..., None, None, None], "bias": offset})


class CausalVideoFSQ(Shipped, ModelMixin, ConfigMixin):
    """The causal video tokenizer. `from_pretrained("sprites-fsq")` gives the one that ships with the library.

    Args:
        levels: of FSQ, one number for each channel of the codes.
        latent_channels: of the autoencoder that encoder and decoder come from.
        fine_channels, coarse_channels, num_fine, num_coarse: as in `CausalVideoVAE`.
    """

    temporal_compression_ratio = 4
    spatial_compression_ratio = 8

    @register_to_config
    def __init__(
        self,
        levels: Sequence[int] = LEVELS,
        latent_channels: int = 16,
        fine_channels: int = 48,
        coarse_channels: int = 128,
        num_fine: int = 1,
        num_coarse: int = 3,
    ):
        super().__init__()
        self.encoder = Encoder(latent_channels, fine_channels, coarse_channels, num_fine, num_coarse)
        self.quant_conv = nn.Conv3d(2 * latent_channels, len(levels), 1)  # as diffusers' VQModel calls it
        self.quantizer = FSQ(levels)
        self.post_quant_conv = nn.Conv3d(len(levels), latent_channels, 1)
        self.decoder = Decoder(latent_channels, fine_channels, coarse_channels, num_fine + 1, num_coarse + 1)
        self.init_weights()

    def init_weights(self) -> None:
        """Fresh weights: every block the identity."""
        for module in self.modules():
            if isinstance(module, FactorizedBlock):
                module.init_weights()

    @property
    def codebook_size(self) -> int:
        """How many tokens there are."""
        return self.quantizer.codebook_size

    @classmethod
    @torch.no_grad()
    def from_vae(cls, vae: CausalVideoVAE, clips: torch.Tensor, levels: Sequence[int] = LEVELS) -> "CausalVideoFSQ":
        """A tokenizer that begins where an autoencoder is: all its weights, and two matrices fitted to some clips.

        On the way in, the latents' principal components become the channels, the strongest ones first, each with the
        width at which all levels occur. On the way out, the latents are the least squares fit from the codes.

        Args:
            vae: trained.
            clips: `(B, 3, 1 + 4k, 8 H', 8 W')` in [-1, 1], with at least as many places as latent channels.
            levels: of FSQ.
        """
        names = ("latent_channels", "fine_channels", "coarse_channels", "num_fine", "num_coarse")
        model = cls(list(levels), **{name: vae.config[name] for name in names})
        model.encoder.load_state_dict(vae.encoder.state_dict())
        model.decoder.load_state_dict(vae.decoder.state_dict())
        z = vae.encode(clips).latent_dist.mode().movedim(1, -1).flatten(0, -2).double()  # (N, C)
        values, vectors = torch.linalg.eigh(torch.cov(z.T))  # the weakest first
        scaled = (vectors * NATURAL_STD / values.sqrt()).T.flip(0)[: len(levels)]  # (levels, C)
        inward = torch.cat([scaled, torch.zeros_like(scaled)], dim=1)  # nothing of the log-variances
        set_matrix(model.quant_conv, inward, -scaled @ z.mean(dim=0))
        codes = model.encode(clips).latent_dist.mode().movedim(1, -1).flatten(0, -2).double()  # (N, levels)
        fit = torch.linalg.lstsq(torch.cat([codes, torch.ones_like(codes[:, :1])], dim=1), z).solution
        set_matrix(model.post_quant_conv, fit[:-1].T, fit[-1])
        return model

    def encode(self, sample: torch.Tensor, return_dict: bool = True) -> Any:
        """Compress a clip; the interface is that of `CausalVideoVAE`, so whatever measures the one measures the other.

        Args:
            sample: `(B, 3, 1 + 4k, 8 H', 8 W')`, in [-1, 1].
            return_dict: False for a tuple.

        Returns:
            `.latent_dist`, the `Codes` `(B, C, 1 + k, H', W')`.

        Raises:
            ValueError: the clip's size is none of these.
        """
        found, _ = self.encode_chunk(sample)
        return AutoencoderKLOutput(latent_dist=found) if return_dict else (found,)

    def decode(self, z: torch.Tensor, return_dict: bool = True) -> Any:
        """Restore a clip from codes.

        Args:
            z: `(B, C, 1 + k, H', W')`.
            return_dict: False for a tuple.

        Returns:
            `.sample`, `(B, 3, 1 + 4k, 8 H', 8 W')`, about [-1, 1] and not clamped, so that gradients pass.
        """
        clip, _ = self.decode_chunk(z)
        return DecoderOutput(sample=clip) if return_dict else (clip,)

    def forward(self, sample: torch.Tensor) -> DecoderOutput:
        """Encode and decode."""
        return self.decode(self.encode(sample).latent_dist.mode())

    def tokenize(self, clip: torch.Tensor) -> torch.Tensor:
        """A clip `(B, 3, 1 + 4k, 8 H', 8 W')` in [-1, 1] to tokens: int64 `(B, 1 + k, H', W')`.

        Raises:
            ValueError: the clip has another size.
        """
        return self.encode(clip).latent_dist.indices

    def detokenize(self, indices: torch.Tensor) -> torch.Tensor:
        """Tokens `(B, 1 + k, H', W')` to a clip `(B, 3, 1 + 4k, 8 H', 8 W')`, about [-1, 1] and not clamped.

        Raises:
            ValueError: a token is outside the codebook.
        """
        return self.decode(indices_to_codes(indices, self.quantizer.levels).to(self.dtype)).sample

    def encode_chunk(self, sample: torch.Tensor, caches: list[Cache] | None = None) -> tuple[Codes, list[Cache]]:
        """Tokenize the next piece of a stream; arguments as for `CausalVideoVAE.encode_chunk`.

        Returns:
            The piece's codes, and the caches for the next piece.

        Raises:
            ValueError: the piece has another size.
        """
        if sample.ndim != 5 or sample.shape[1] != 3 or sample.shape[3] % 8 or sample.shape[4] % 8:
            raise ValueError(f"a clip is (B, 3, T, H, W), H and W multiples of 8; got {tuple(sample.shape)}")
        hidden, later = causal_downsample(self.encoder, sample, caches, self.temporal_compression_ratio)
        return Codes(*self.quantizer(self.quant_conv(hidden))), later  # pyrefly: ignore [bad-return]

    def decode_chunk(self, z: torch.Tensor, caches: list[Cache] | None = None) -> tuple[torch.Tensor, list[Cache]]:
        """Restore the next piece of a stream from codes `(B, C, T', H', W')`; as `CausalVideoVAE.decode_chunk`."""
        begins = caches is None
        clip, caches = self.decoder(self.post_quant_conv(z.to(self.dtype)), caches)
        return clip[:, :, 3:] if begins else clip, caches
