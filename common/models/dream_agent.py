"""An agent of the Dreamer line: an RSSM, heads for reward and end, an actor and a critic.

The world is learned from recorded play. The actor and the critic see the world's state alone, so they can be trained
in imagination and then act on real observations (Dreamer, Hafner et al. 2019, arXiv:1912.01603; DreamerV3,
arXiv:2301.04104). Observations are vectors; Dreamer puts convolutions before and after them.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

from common.models.rssm import RSSM, Observed, RSSMState, head
from common.models.shipped import Shipped

PRESETS = {
    "ci": {"observation_size": 192, "num_actions": 3, "hidden_size": 32, "num_latents": 4, "num_classes": 4},
    "cpu": {"observation_size": 192, "num_actions": 3, "hidden_size": 128, "num_latents": 8, "num_classes": 16},
}


@dataclass
class Imagined:
    """H steps of a dream.

    Attributes:
        features: of the H + 1 states, `(B, H + 1, F)`.
        actions: int64 `(B, H)`; action t is pressed in state t and leads to state t + 1.
    """

    features: torch.Tensor
    actions: torch.Tensor


class DreamAgent(Shipped, ModelMixin, ConfigMixin):
    """A world, and someone who acts in it. See the module.

    Args:
        observation_size: O, numbers per observation.
        num_actions: A.
        hidden_size: D, of the GRU and of every hidden layer.
        num_latents, num_classes: L and C of the categorical latent.
    """

    @register_to_config
    def __init__(
        self,
        observation_size: int = 192,
        num_actions: int = 3,
        hidden_size: int = 128,
        num_latents: int = 8,
        num_classes: int = 16,
    ):
        super().__init__()
        features = hidden_size + num_latents * num_classes
        self.core = RSSM(observation_size, num_actions, hidden_size, num_latents, num_classes)
        self.reward_head, self.continue_head, self.critic_head = (head(features, hidden_size, 1) for _ in range(3))
        self.actor = head(features, hidden_size, num_actions)

    def forward(self, observation, state, action, generator=None):
        """`follow`."""
        return self.follow(observation, state, action, generator)

    def observe(
        self, observations: torch.Tensor, actions: torch.Tensor, generator: torch.Generator | None = None
    ) -> Observed:
        """Follow recorded play: the RSSM's posterior at every observation.

        Args:
            observations: `(B, T, O)`.
            actions: int64 `(B, T)`; action t *led to* observation t.
            generator: of the draws.
        """
        return self.core.observe(observations, actions, generator)[0]

    def follow(
        self, observation: torch.Tensor, state: RSSMState, action: torch.Tensor,
        generator: torch.Generator | None = None,
    ) -> RSSMState:  # fmt: skip
        """One step further in play that is real.

        Args:
            observation: `(B, O)`.
            state: before it.
            action: int64 `(B,)`, that led to it.
            generator: of the draw.
        """
        return self.core.step(state, action, observation, generator)[0]

    def decode(self, features: torch.Tensor) -> torch.Tensor:
        """States as observations: `(..., F)` to `(..., O)`."""
        return self.core.decoder(features)

    def reward(self, features: torch.Tensor) -> torch.Tensor:
        """The reward that came with a state, `(..., F)` to `(...)`."""
        return self.reward_head(features)[..., 0]

    def continues(self, features: torch.Tensor) -> torch.Tensor:
        """The probability that the episode goes on after a state, `(..., F)` to `(...)`."""
        return self.continue_head(features)[..., 0].sigmoid()

    def value(self, features: torch.Tensor) -> torch.Tensor:
        """The critic's estimate of the return from a state on, `(..., F)` to `(...)`."""
        return self.critic_head(features)[..., 0]

    def state_of(self, features: torch.Tensor) -> RSSMState:
        """Features `(B, D + L C)` as a state again."""
        size = self.config.hidden_size
        return RSSMState(features[..., :size], features[..., size:])


@torch.no_grad()
def imagine(
    world: RSSM, actor: Callable, start: RSSMState, horizon: int, generator: torch.Generator | None = None
) -> Imagined:
    """Imagination: a policy plays in a world model, and no observation is looked at.

    In every step the action is drawn from the softmax of the actor's logits in the state as it is. It leads to the next
    state, whose latent `world.step` draws from the prior.

    Args:
        world: whose `step` is called.
        actor: features `(B, F)` of a state to logits `(B, A)`.
        start: the B states to begin with.
        horizon: H, at least 1.
        generator: of all draws; in every step that of the action, by `torch.multinomial`, comes first.

    Returns:
        The features of all H + 1 states, the start among them, and the H actions. They carry no gradient.
    """
    state, features, actions = start, [start.features], []
    for _ in range(horizon):
        probabilities = actor(state.features).softmax(dim=-1)
        action = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
        state, _, _ = world.step(state, action, generator=generator)
        features.append(state.features)
        actions.append(action)
    return Imagined(torch.stack(features, dim=1), torch.stack(actions, dim=1))
