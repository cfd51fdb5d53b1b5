"""Worlds to dream in, small and known, and an RSSM filled with numbers: for lab 09.4."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.nn import functional as F

from common.course.graders.calls import attempt
from common.course.graders.stand_ins import Keeps, fill
from common.course.graders.values import noise, uniform
from common.models.rssm import RSSMState


def whole(seed: int, *size: int, below: int) -> torch.Tensor:
    """Whole numbers from 0 up to, not including, `below`."""
    return torch.randint(below, size, generator=torch.Generator().manual_seed(seed))


def generator_of(seed: int | None) -> torch.Generator | None:
    """A fresh generator of this seed, or None."""
    return None if seed is None else torch.Generator().manual_seed(seed)


def numbered_play(seed: int, num_frames: int, ends: Sequence[int], height: int = 2, width: int = 3):
    """One play: frames that show their number, actions of which neighbours differ, rewards, and ends at these steps."""
    frames = (torch.arange(num_frames) + 10 * seed)[:, None, None].expand(num_frames, height, width)
    over = torch.zeros(num_frames - 1, dtype=torch.bool)
    over[list(ends)] = True
    actions = 1 + torch.arange(num_frames - 1) % 5 + seed
    return frames.to(torch.uint8).contiguous(), actions, uniform(seed, num_frames - 1, low=0.5), over


def filled_rssm(kind: Callable, seed: int, observation: int, actions: int, hidden: int, latents: int, classes: int):
    """A learner's RSSM of these sizes, with random weights in double precision."""
    sizes = {"observation_size": observation, "num_actions": actions, "hidden_size": hidden, "num_latents": latents,
             "num_classes": classes}  # fmt: skip
    return fill(attempt("RSSM(…)", lambda: kind(**sizes)), seed, 0.9).double().requires_grad_(False)


def moments(kind: Callable, seed: int, seen: bool = True) -> Iterator[tuple]:
    """An RSSM, h, z, an action, an observation (or None) and a seed: three of each, of different sizes."""
    for k, (batch, *size) in enumerate(((4, 5, 3, 7, 2, 6), (3, 2, 4, 6, 3, 5), (6, 3, 2, 5, 4, 3))):
        observation, actions, hidden, latents, classes = size
        latent = F.one_hot(whole(seed + k, batch, latents, below=classes), classes).double().flatten(1)
        state = noise(seed + k, batch, hidden, scale=0.6, dtype=torch.float64)
        x = noise(seed + k + 1, batch, observation, dtype=torch.float64) if seen else None
        yield filled_rssm(kind, seed + k, *size), state, latent, whole(seed, batch, below=actions), x, seed + k


def by_step(rssm, state, latent, action, observation, seed):
    """A learner's `step` with its states in two parts: h, z, prior, posterior (without an observation the prior)."""
    found = rssm.step(RSSMState(state, latent), action, observation, generator_of(seed))
    assert isinstance(found, tuple) and len(found) == 3, "step(…) gives three things: the next state, prior, posterior"
    after, prior, posterior = found
    assert isinstance(after, RSSMState), "the first thing that step(…) gives is an RSSMState"
    unseen = "without an observation there is no posterior: the third thing that step(…) gives is None"
    assert (posterior is None) == (observation is None), unseen
    return after.deterministic, after.latent, prior, prior if posterior is None else posterior


class FormulaDream(Keeps, torch.nn.Module, logs=("given",)):
    """Stands for an RSSM: a step that is one formula with a draw in it. It learns, so a gradient shows.

    Args:
        seed: of the weights.
        num_actions, hidden, latent: sizes.

    Attributes:
        given: whether each step got a generator.
    """

    def __init__(self, seed: int, num_actions: int, hidden: int, latent: int):
        super().__init__()
        self.turn = torch.nn.Parameter(noise(seed, hidden, hidden, scale=0.5, dtype=torch.float64))
        self.key = torch.nn.Parameter(noise(seed + 1, num_actions, hidden, dtype=torch.float64))
        self.latent, self.given = latent, []

    def forward(self, *args, **kwargs):
        raise TypeError("the world itself is not called: use its step")

    def step(self, state, action, observation=None, generator=None):
        """As `RSSM.step`; what does not fit is said in words."""
        assert observation is None, "imagination looks at no observation"
        assert action.dtype == torch.int64 and action.shape == state.latent.shape[:1], "the actions are int64, (B,)"
        self.given.append(generator is not None)
        h = (state.deterministic @ self.turn + self.key[action] + state.latent.sum(dim=1, keepdim=True)).tanh()
        z = torch.rand(len(h), self.latent, generator=generator, dtype=torch.float64)
        return RSSMState(h, z), z, None


class MatrixActor(torch.nn.Module):
    """A policy that is one matrix, with logits far from equal.

    Args:
        seed: of the matrix.
        features, num_actions: its sizes.
    """

    def __init__(self, seed: int, features: int, num_actions: int):
        super().__init__()
        self.weight = torch.nn.Parameter(noise(seed, features, num_actions, scale=1.3, dtype=torch.float64))

    def forward(self, features):
        """Logits `(B, A)`."""
        assert features.ndim == 2, f"the actor gets features (B, F), not {tuple(features.shape)}"
        return features @ self.weight


def asleep(seed: int, batch: int, num_actions: int, hidden: int, latent: int, horizon: int) -> tuple:
    """What a dream begins with: a world, an actor, h, z, the horizon and a seed."""
    h, z = noise(seed, batch, hidden, dtype=torch.float64), uniform(seed, batch, latent, dtype=torch.float64)
    return FormulaDream(seed, num_actions, hidden, latent), MatrixActor(seed, hidden + latent, num_actions), h, z, horizon, seed


def dreaming(function: Callable) -> Callable:
    """A learner's `imagine` with the start in two parts and a seed in place of a generator."""

    def call(world, actor, state, latent, horizon, seed):
        return function(world, actor, RSSMState(state, latent), horizon, generator_of(seed))

    return call
