"""A small VAE that holds what a clip shows apart from how it moves: one content code a clip, one motion code a frame.

The idea is MoCoGAN's (Tulyakov et al. 2018, arXiv:1707.04993), which learns it from a game of generator and
discriminators; here a plain likelihood does. Three things make the split real, and none of them is a label:

- The content code is a mean over frames, so it cannot know which frame came when. It has to hold what all share.
- A bit in a motion code is paid for in every frame, the same bit in the content code once. What does not change is
  cheaper there.
- A motion code is a few numbers, and all that it does in the decoder is to place and scale: *where*. The content code
  draws: *what*.

The decoder has two streams, as the first video GAN (Vondrick et al. 2016, arXiv:1609.02612): a background, drawn once,
and a foreground with its mask. `EntangledVAE` is made of the same parts without the split: the thing to compare with.
"""

from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.models.gaussian import DiagonalGaussian
from common.models.motion_prior import MotionPrior
from common.models.outputs import DecoderOutput
from common.models.shipped import Shipped
from common.models.two_streams import TwoStreams

PIXEL_STD = 0.1  # of the decoder's normal distribution of a pixel, in units of [-1, 1]
PRESETS = {
    "ci": {"content_dim": 16, "motion_dim": 3, "width": 16, "hidden_size": 32},
    "cpu": {"content_dim": 64, "motion_dim": 4, "width": 32, "hidden_size": 128},
    "gpu": {"content_dim": 96, "motion_dim": 4, "width": 64, "hidden_size": 256},
}


@dataclass(frozen=True)
class ContentMotion:
    """What the encoder says of a batch of clips.

    Attributes:
        content: distribution of the content codes, `(B, Dc)`.
        motion: distribution of the motion codes, `(B, Dm, T)`.
    """

    content: DiagonalGaussian
    motion: DiagonalGaussian


class FrameEncoder(nn.Module):
    """Frames to features, each frame by itself: `(N, 3, H, W)` to `(N, F)`.

    It begins at full resolution, because a shape is its outline. The features are read off the last grid as it stands,
    and off the largest value of each of its channels, wherever that lies: a shape should not have to be learned anew at
    every place.

    Args:
        size: H = W, a multiple of 8.
        width: channels after the first halving; twice as many after the others.
        hidden_size: F.
    """

    def __init__(self, size: int, width: int, hidden_size: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, width // 2, 3, padding=1), nn.SiLU(),  # (N, w/2, H, W)
            nn.Conv2d(width // 2, width, 3, stride=2, padding=1), nn.GroupNorm(4, width), nn.SiLU(),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.GroupNorm(4, 2 * width), nn.SiLU(),
            nn.Conv2d(2 * width, 2 * width, 3, stride=2, padding=1), nn.SiLU(),  # (N, 2w, H/8, W/8)
        )  # fmt: skip
        self.features = nn.Linear(2 * width * ((size // 8) ** 2 + 1), hidden_size)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        grid = self.layers(frames).flatten(2)  # (N, 2w, H/8 · W/8)
        read = torch.cat([grid.flatten(1), grid.amax(dim=2)], dim=1)
        return F.silu(self.features(read))


class SplitHeads(nn.Module):
    """The split: features of a clip's frames to one content code and as many motion codes as frames.

    Args:
        hidden_size: F of the features.
        content_dim: Dc.
        motion_dim: Dm.
    """

    def __init__(self, hidden_size: int, content_dim: int, motion_dim: int):
        super().__init__()
        self.content = nn.Linear(hidden_size, 2 * content_dim)
        self.motion = nn.Linear(hidden_size, 2 * motion_dim)

    def forward(self, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The moments (means, then logarithms of variances) of both kinds of codes.

        Args:
            features: `(B, T, F)`, of each frame by itself, in the dtype of the layers and in any memory layout.

        Returns:
            Of the content code, from the mean of the features over the frames: `(B, 2 Dc)`. The order of the frames
            does not matter to it, nor how many there are. Of the motion codes, each from its own frame:
            `(B, 2 Dm, T)`. Gradients of both reach the features of every frame.
        """
        content = self.content(features.mean(dim=1))  # (B, 2 Dc)
        motion = rearrange(self.motion(features), "b t d -> b d t")  # (B, 2 Dm, T)
        return content, motion


class ContentMotionVAE(Shipped, ModelMixin, ConfigMixin):
    """The VAE with the split. `from_pretrained("sprites-content-motion")` gives the one that ships with the library.

    Args:
        content_dim: Dc, numbers in a clip's content code.
        motion_dim: Dm, numbers in a frame's motion code.
        size: of the frames, which are square; a multiple of 8.
        width: channels of the convolutions.
        hidden_size: of the features and of the layers between codes and maps.
        prior_size: of the prior's recurrent state.
        num_components: of the prior's mixtures.
    """

    @register_to_config
    def __init__(
        self,
        content_dim: int = 64,
        motion_dim: int = 4,
        size: int = 32,
        width: int = 32,
        hidden_size: int = 128,
        prior_size: int = 128,
        num_components: int = 8,
    ):
        super().__init__()
        check_size(size)
        self.encoder = FrameEncoder(size, width, hidden_size)
        self.heads = SplitHeads(hidden_size, content_dim, motion_dim)
        self.decoder = TwoStreams(content_dim, motion_dim, size, width, hidden_size)
        self.prior = MotionPrior(motion_dim, prior_size, num_components)
        self.init_weights()

    def init_weights(self) -> None:
        """Small log-variances, so that early draws are near their means."""
        for head in (self.heads.content, self.heads.motion):
            nn.init.constant_(head.bias[head.out_features // 2 :], -4.0)

    def encode(self, sample: torch.Tensor) -> ContentMotion:
        """What a clip shows and how it moves.

        Args:
            sample: `(B, 3, T, H, W)` in [-1, 1], of any number of frames.

        Raises:
            ValueError: it has another shape.
        """
        check_clip(sample, self.config.size)
        features = self.encoder(rearrange(sample, "b c t h w -> (b t) c h w"))
        content, motion = self.heads(rearrange(features, "(b t) f -> b t f", b=len(sample)))
        return ContentMotion(DiagonalGaussian(content), DiagonalGaussian(motion))

    def decode(self, content: torch.Tensor, motion: torch.Tensor) -> DecoderOutput:
        """Codes to a clip.

        Args:
            content: `(B, Dc)`.
            motion: `(B, Dm, T)`.

        Returns:
            `.sample`, `(B, 3, T, H, W)`, about [-1, 1] and not clamped.
        """
        return DecoderOutput(sample=self.decoder(content, motion))

    def forward(self, sample: torch.Tensor) -> DecoderOutput:
        """Encode and decode, by the most likely codes."""
        codes = self.encode(sample)
        return self.decode(codes.content.mode(), codes.motion.mode())


class EntangledVAE(Shipped, ModelMixin, ConfigMixin):
    """The same encoder and decoder without the split: one code per frame, which says what and where in one.

    Args: as in `ContentMotionVAE`; a frame's code has `content_dim + motion_dim` numbers.
    """

    @register_to_config
    def __init__(
        self, content_dim: int = 64, motion_dim: int = 4, size: int = 32, width: int = 32, hidden_size: int = 128
    ):
        super().__init__()
        check_size(size)
        code_dim = content_dim + motion_dim
        self.encoder = FrameEncoder(size, width, hidden_size)
        self.head = nn.Linear(hidden_size, 2 * code_dim)
        self.decoder = TwoStreams(code_dim, code_dim, size, width, hidden_size)
        nn.init.constant_(self.head.bias[code_dim:], -4.0)

    def encode(self, sample: torch.Tensor) -> DiagonalGaussian:
        """`(B, 3, T, H, W)` in [-1, 1] to the distribution of the codes, `(B, D, T)`.

        Raises:
            ValueError: the clip has another shape.
        """
        check_clip(sample, self.config.size)
        features = self.encoder(rearrange(sample, "b c t h w -> (b t) c h w"))
        return DiagonalGaussian(rearrange(self.head(features), "(b t) d -> b d t", b=len(sample)))

    def decode(self, codes: torch.Tensor) -> DecoderOutput:
        """`(B, D, T)` to `.sample`, `(B, 3, T, H, W)`."""
        frames = rearrange(codes, "b d t -> (b t) d")
        clips = self.decoder(frames, frames[:, :, None])  # (B T, 3, 1, H, W)
        return DecoderOutput(sample=rearrange(clips, "(b t) c 1 h w -> b c t h w", b=len(codes)))

    def forward(self, sample: torch.Tensor) -> DecoderOutput:
        """Encode and decode, by the most likely codes."""
        return self.decode(self.encode(sample).mode())


def negative_elbo(
    restored: torch.Tensor,
    target: torch.Tensor,
    codes: ContentMotion,
    *,
    num_frames: int,
    pixel_std: float = PIXEL_STD,
) -> dict[str, torch.Tensor]:
    """What it costs to describe a clip of `num_frames` frames, estimated from n of them, in nats for each clip.

    Three costs (Kingma, Welling 2013, arXiv:1312.6114, equation 3, for a normal distribution of each pixel whose
    constant is left out): of the pixels given the codes, Σ (restored - target)² / (2 pixel_std²); of the content code,
    once; and of the motion codes, frame by frame. The sums over frames are those of n frames, times num_frames / n.

    Args:
        restored: `(B, 3, n, H, W)`, decoded from a draw of the codes, in any dtype and memory layout.
        target: `(B, 3, n, H, W)`, in [-1, 1].
        codes: the distributions that the draw is from; the motion's is `(B, Dm, n)`.
        num_frames: of the whole clip, at least n.
        pixel_std: what counts as a small error of a pixel.

    Returns:
        `pixels`, `content` and `motion`, `(B,)` each, computed in float32. Their sum is the negative ELBO. Gradients
        reach `restored` and both distributions.
    """
    share = num_frames / target.shape[2]  # frames of the clip for each frame that is here
    squares = (restored.float() - target.float()).square().flatten(1).sum(dim=1)  # (B,)
    return {
        "pixels": share * squares / (2 * pixel_std**2),
        "content": codes.content.kl(),
        "motion": share * codes.motion.kl(),
    }


@torch.no_grad()
def swap_motion(model: ContentMotionVAE, content_of: torch.Tensor, motion_of: torch.Tensor) -> torch.Tensor:
    """Clips that show what the first ones show and move as the second ones do.

    Args:
        model: with `encode` and `decode`.
        content_of: `(B, 3, T, H, W)` in [-1, 1].
        motion_of: `(B, 3, T', H, W)`; it may have another number of frames.

    Returns:
        `(B, 3, T', H, W)`, clamped to [-1, 1], by the most likely codes, so nothing is drawn. It carries no gradient.
    """
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample.clamp(-1, 1)


@torch.no_grad()
def swap_motion_entangled(
    model: EntangledVAE, content_of: torch.Tensor, motion_of: torch.Tensor, directions: torch.Tensor
) -> torch.Tensor:
    """The nearest thing to a swap that codes without a split allow.

    What a clip shares over time is taken from one, what changes from the other: each code is the first clip's mean,
    with its part along `directions` replaced by the second clip's.

    Args:
        model: with `encode` and `decode`.
        content_of: `(B, 3, T, H, W)` in [-1, 1].
        motion_of: `(B, 3, T', H, W)`.
        directions: `(D, k)`, orthonormal: those in which codes change over time (`changing_directions`). With k = D
            nothing of the first clip is left.

    Returns:
        `(B, 3, T', H, W)`, held in [-1, 1].
    """
    mean = model.encode(content_of).mode().mean(dim=2, keepdim=True)  # (B, D, 1)
    other = model.encode(motion_of).mode()  # (B, D, T')
    along = torch.einsum("dk,ek,bet->bdt", directions, directions, other - mean)
    return model.decode(mean + along).sample.clamp(-1, 1)


def changing_directions(codes: torch.Tensor, num_directions: int) -> torch.Tensor:
    """The directions v in which codes `(B, D, T)` change most within a clip, for what they differ between clips.

    Fisher's linear discriminant (1936): the largest v' S_w v / v' S v, where S_w is the scatter of codes around the
    mean of their clip, and S that around the mean of all codes. They solve S_w v = λ S v. With S = L L' (Cholesky) and
    u = L' v this is an ordinary eigenproblem, (L⁻¹ S_w L⁻ᵀ) u = λ u.

    Returns:
        `(D, num_directions)`, orthonormal.
    """
    around_clip = rearrange(codes - codes.mean(dim=2, keepdim=True), "b d t -> d (b t)").double()
    around_all = rearrange(codes - codes.mean(dim=(0, 2), keepdim=True), "b d t -> d (b t)").double()
    scatter = around_all @ around_all.T  # S, (D, D)
    ridge = 1e-6 * scatter.trace() / len(scatter)  # where codes do not differ at all, S has no inverse
    factor = torch.linalg.cholesky(scatter + ridge * torch.eye(len(scatter), dtype=scatter.dtype))  # L
    whitened = torch.linalg.solve_triangular(factor, around_clip, upper=False)  # L⁻¹ X, and S_w = X X'
    u = torch.linalg.eigh(whitened @ whitened.T).eigenvectors[:, -num_directions:]  # of the largest λ
    v = torch.linalg.solve_triangular(factor.T, u, upper=True)
    return torch.linalg.qr(v).Q.to(codes)


def check_size(size: int) -> None:
    """Raises ValueError where frames of this size do not divide into the grids."""
    if size < 8 or size % 8:
        raise ValueError(f"size is a multiple of 8, got {size}")


def check_clip(sample: torch.Tensor, size: int) -> None:
    """Raises ValueError where these are no clips of that size."""
    if sample.ndim != 5 or sample.shape[1] != 3 or tuple(sample.shape[3:]) != (size, size):
        raise ValueError(f"clips are (B, 3, T, {size}, {size}), got {tuple(sample.shape)}")
