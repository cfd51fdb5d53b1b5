"""The recurrent state-space model (RSSM): the world model of the Dreamer line, in small.

The state has two parts. A GRU carries h, which is deterministic, from step to step. A categorical latent z says what
the GRU could not know. The posterior q(z | h, x) sees the observation, the prior p(z | h) has to guess without it, and
imagination is what one gets by drawing from the prior again and again (PlaNet, Hafner et al. 2018, arXiv:1811.04551;
categorical latents: DreamerV2, arXiv:2010.02193; KL balance, free bits, 1 % uniform: DreamerV3, arXiv:2301.04104).
"""

from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from common.models.categorical import kl_balance, straight_through_sample, uniform_mix
from common.models.shipped import Shipped

PRESETS = {
    "ci": {"observation_size": 4, "num_actions": 3, "hidden_size": 64, "num_latents": 4, "num_classes": 8},
    "cpu": {"observation_size": 4, "num_actions": 3, "hidden_size": 256, "num_latents": 8, "num_classes": 16},
}


@dataclass
class RSSMState:
    """The state of the world at one step.

    Attributes:
        deterministic: h of the GRU, `(B, D)`.
        latent: z, L one-hot classes in a row, `(B, L C)`.
    """

    deterministic: torch.Tensor
    latent: torch.Tensor

    @property
    def features(self) -> torch.Tensor:
        """Both parts, `(B, D + L C)`: all that the decoder, a policy or a critic may see."""
        return torch.cat([self.deterministic, self.latent], dim=-1)


@dataclass
class Observed:
    """What an RSSM made of recorded play.

    Attributes:
        features: `(B, T, D + L C)`.
        posterior, prior: log-probabilities `(B, T, L, C)`.
        predictions: decoded observations `(B, T, O)`.
    """

    features: torch.Tensor
    posterior: torch.Tensor
    prior: torch.Tensor
    predictions: torch.Tensor


class RSSM(Shipped, ModelMixin, ConfigMixin):
    """A recurrent state-space model of vectors. See the module.

    Args:
        observation_size: O, numbers per observation.
        num_actions: A.
        hidden_size: D, of the GRU and of every hidden layer.
        num_latents: L.
        num_classes: C of each latent.
    """

    @register_to_config
    def __init__(
        self,
        observation_size: int = 4,
        num_actions: int = 3,
        hidden_size: int = 64,
        num_latents: int = 4,
        num_classes: int = 8,
    ):
        super().__init__()
        latent_size = num_latents * num_classes
        self.inputs = nn.Sequential(nn.Linear(latent_size + num_actions, hidden_size), nn.SiLU())
        self.cell = nn.GRUCell(hidden_size, hidden_size)
        self.prior_head = head(hidden_size, hidden_size, latent_size)
        self.posterior_head = head(hidden_size + observation_size, hidden_size, latent_size)
        self.decoder = head(hidden_size + latent_size, hidden_size, observation_size)

    def initial(self, batch_size: int) -> RSSMState:
        """The state before anything was seen: zeros."""
        weight = self.cell.weight_hh
        latent_size = self.config.num_latents * self.config.num_classes
        return RSSMState(
            weight.new_zeros(batch_size, self.config.hidden_size), weight.new_zeros(batch_size, latent_size)
        )

    def step(
        self,
        state: RSSMState,
        action: torch.Tensor,
        observation: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[RSSMState, torch.Tensor, torch.Tensor | None]:
        """One step of the world: from a state and an action to the next state.

            h' = cell(inputs([z, onehot(a)]), h),   p(z') = prior_head(h'),   q(z') = posterior_head([h', x])

        [ , ] joins along the last axis. A head's logits `(B, L C)` become log-probabilities `(B, L, C)` with 1 %
        uniform: `_distribution`. The next latent is drawn by `straight_through_sample`: from q where there is an
        observation x, else from p, which is imagination. Gradients flow through all of it.

        Args:
            state: h and z of B worlds.
            action: a, int64 `(B,)`, pressed in that state.
            observation: x, what it led to, `(B, O)`, or None.
            generator: of the draw.

        Returns:
            The next state; the log-probabilities of the prior p, `(B, L, C)`; and those of the posterior q, or None
            without an observation.
        """
        onehot = F.one_hot(action, self.config.num_actions).to(state.latent)
        inputs = self.inputs(torch.cat([state.latent, onehot], dim=-1))
        deterministic = self.cell(inputs, state.deterministic)
        prior = self._distribution(self.prior_head(deterministic))
        posterior = None
        if observation is not None:
            posterior = self._distribution(self.posterior_head(torch.cat([deterministic, observation], dim=-1)))
        latent = straight_through_sample(prior if posterior is None else posterior, generator)
        return RSSMState(deterministic, rearrange(latent, "b l c -> b (l c)")), prior, posterior

    def observe(
        self, observations: torch.Tensor, actions: torch.Tensor, generator: torch.Generator | None = None
    ) -> tuple[Observed, RSSMState]:
        """Follow recorded play with the posterior.

        Args:
            observations: `(B, T, O)`.
            actions: int64 `(B, T)`; action t *led to* observation t. The first one is any action.
            generator: of the draws.

        Returns:
            What came of every step, and the last state.
        """
        state = self.initial(len(observations))
        features, priors, posteriors = [], [], []
        for step in range(observations.shape[1]):
            state, prior, posterior = self.step(state, actions[:, step], observations[:, step], generator)
            features.append(state.features)
            priors.append(prior)
            posteriors.append(posterior)
        stacked = torch.stack(features, dim=1)
        seen = Observed(stacked, torch.stack(posteriors, dim=1), torch.stack(priors, dim=1), self.decoder(stacked))
        return seen, state

    def imagine(
        self, state: RSSMState, actions: torch.Tensor, generator: torch.Generator | None = None
    ) -> torch.Tensor:
        """Dream on from a state: every latent comes from the prior, no observation is looked at.

        Args:
            state: of B worlds.
            actions: int64 `(B, H)`.
            generator: of the draws.

        Returns:
            Decoded observations `(B, H, O)`.
        """
        features = []
        for step in range(actions.shape[1]):
            state, _, _ = self.step(state, actions[:, step], generator=generator)
            features.append(state.features)
        return self.decoder(torch.stack(features, dim=1))

    def _distribution(self, flat: torch.Tensor) -> torch.Tensor:
        """Logits `(B, L C)` to log-probabilities `(B, L, C)`, 1 % uniform."""
        return uniform_mix(rearrange(flat, "b (l c) -> b l c", c=self.config.num_classes))


def head(in_features: int, hidden_size: int, out_features: int) -> nn.Sequential:
    """A perceptron with one hidden layer."""
    return nn.Sequential(nn.Linear(in_features, hidden_size), nn.SiLU(), nn.Linear(hidden_size, out_features))


def rssm_loss(observed: Observed, observations: torch.Tensor, free_nats: float = 1.0) -> torch.Tensor:
    """Squared error of the decoded observations plus the balanced KL.

    Args:
        observed: from `RSSM.observe`.
        observations: `(B, T, O)`.
        free_nats: of `kl_balance`.

    Returns:
        A scalar: the squared error is summed over O and has the mean over B and T.
    """
    error = (observed.predictions - observations).square().sum(dim=-1).mean()
    return error + kl_balance(observed.posterior, observed.prior, free_nats=free_nats)
