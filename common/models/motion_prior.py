"""What motion comes next: a recurrent prior over motion codes, one normal mixture a frame.

MoCoGAN draws the path of its motion codes by a recurrent network fed with noise (Tulyakov et al. 2018,
arXiv:1707.04993, section 3.1). Here the same network says, for each frame, *how probable* every next code is, so it is
trained by likelihood and not by a discriminator. One normal distribution would not do: after the first frame a thing
may go left or right, and the middle of the two is neither. A mixture of a few can say "left or right" (mixture density
network: Bishop 1994; over a recurrent network: Graves 2013, arXiv:1308.0850; over the codes of a VAE, as here: World
Models, Ha, Schmidhuber 2018, arXiv:1803.10122).
"""

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from torch import nn

LOG_2_PI = math.log(2 * math.pi)
NARROWEST, WIDEST = -5.0, 2.0  # log standard deviation of a component


@dataclass(frozen=True)
class Mixture:
    """A mixture of K independent normals for each of T frames' D numbers.

    Attributes:
        logits: `(B, T, K)`: logarithms of the components' shares, up to a constant.
        mean: `(B, T, K, D)`.
        log_std: `(B, T, K, D)`.
    """

    logits: torch.Tensor
    mean: torch.Tensor
    log_std: torch.Tensor

    def sample(self, generator: torch.Generator | None = None) -> torch.Tensor:
        """One code for each frame, `(B, D, T)`: first which component, then a draw from that one."""
        batch, num_frames, num_components = self.logits.shape
        shares = self.logits.float().softmax(dim=-1).reshape(-1, num_components)
        chosen = torch.multinomial(shares, 1, generator=generator).reshape(batch, num_frames, 1, 1)  # (B, T, 1, 1)
        mean, log_std = (
            part.gather(2, chosen.expand(-1, -1, 1, part.shape[-1])).squeeze(2) for part in (self.mean, self.log_std)
        )  # (B, T, D) each
        eps = torch.randn(mean.shape, generator=generator, device=generator.device if generator else None).to(mean)
        return rearrange(mean + log_std.exp() * eps, "b t d -> b d t")


def mixture_log_prob(mixture: Mixture, motion: torch.Tensor) -> torch.Tensor:
    """How probable each frame's code is under its mixture: log Σ_k π_k N(z_t; μ_k, σ_k), in nats.

    Args:
        mixture: of K components for each of T frames.
        motion: `(B, D, T)`, in any dtype and memory layout.

    Returns:
        `(B, T)`, float32 and computed in it, finite also where a code is far from every component. The D numbers of a
        code are independent within a component, not in the mixture. Gradients reach the codes and all of the mixture.
    """
    z = rearrange(motion.float(), "b d t -> b t 1 d")
    log_std = mixture.log_std.float()
    each = -0.5 * (((z - mixture.mean.float()) / log_std.exp()).square() + 2 * log_std + LOG_2_PI)  # (B, T, K, D)
    log_shares = mixture.logits.float().log_softmax(dim=-1)  # (B, T, K)
    return torch.logsumexp(log_shares + each.sum(dim=-1), dim=-1)  # (B, T)


class MotionPrior(nn.Module):
    """Says what each frame's motion code may be, given the codes of the frames before it.

    Args:
        motion_dim: D, numbers in a frame's motion code.
        hidden_size: of the recurrent state.
        num_components: K of the mixtures.
    """

    def __init__(self, motion_dim: int, hidden_size: int = 128, num_components: int = 8):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(motion_dim))  # stands where the first frame has no frame before it
        self.rnn = nn.GRU(motion_dim, hidden_size, batch_first=True)
        self.mixture = nn.Linear(hidden_size, num_components * (1 + 2 * motion_dim))
        self.num_components = num_components

    def forward(self, motion: torch.Tensor) -> Mixture:
        """The mixture of every frame, each from the frames before it alone.

        The network reads `self.start`, then code 0, code 1, … in their order, with its state kept from frame to frame.
        `read_out` makes a mixture of each state and of the code that the network was given there. Nothing is detached.

        Args:
            motion: `(B, D, T)`, in the dtype of the weights and in any memory layout.

        Returns:
            A `Mixture` of T frames. Frame 0's is the same for all clips; frame t's does not know codes t, t + 1, …
        """
        z = rearrange(motion, "b d t -> b t d")
        before = torch.cat([self.start.expand(len(z), 1, -1), z[:, :-1]], dim=1)  # (B, T, D): frame t meets code t - 1
        states, _ = self.rnn(before)  # (B, T, hidden)
        return self.read_out(states, before)

    def read_out(self, states: torch.Tensor, before: torch.Tensor) -> Mixture:
        """A mixture for each state; its means are steps away from the code before.

        Args:
            states: `(B, T, hidden)` of the recurrent network.
            before: `(B, T, D)`: the codes that it was given.
        """
        out = rearrange(self.mixture(states), "b t (k n) -> b t k n", k=self.num_components)
        logits, step, log_std = out.split([1, before.shape[-1], before.shape[-1]], dim=-1)
        return Mixture(logits.squeeze(-1), before[:, :, None] + step, log_std.clamp(NARROWEST, WIDEST))

    @torch.no_grad()
    def sample(self, num_clips: int, num_frames: int, generator: torch.Generator | None = None) -> torch.Tensor:
        """New motions, frame after frame: draw a code, give it back to the network, draw the next.

        Before frame 0 the network meets `self.start`, as in `forward`; its state is kept from frame to frame.

        Args:
            num_clips: B.
            num_frames: T; it may be more than any clip of the training had.
            generator: of all draws, in the order of the frames. Without one, torch's own.

        Returns:
            `(B, D, T)`, in the dtype of the weights, without a gradient.
        """
        code, state, codes = self.start.expand(num_clips, 1, -1), None, []  # (B, 1, D)
        for _ in range(num_frames):
            out, state = self.rnn(code, state)
            drawn = self.read_out(out, code).sample(generator)  # (B, D, 1)
            codes.append(drawn)
            code = rearrange(drawn, "b d t -> b t d")
        return torch.cat(codes, dim=2)
