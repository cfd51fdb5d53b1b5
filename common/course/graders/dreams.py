"""Worlds to dream in, small and known, and an RSSM filled with numbers: for lab 09.4."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.nn import functional as F

from common.course.graders.calls import attempt
from common.course.graders.stand_ins import fill
from common.course.graders.values import generators, noise, uniform, whole
from common.models.rssm import RSSMState


def numbered_play(seed: int, num_frames: int, ends: Sequence[int], size: tuple[int, ...] = ()):
    """One play: frames that show their number, actions of which neighbours differ, rewards, and ends at these steps."""
    frames = (torch.arange(num_frames) + 10 * seed).reshape(-1, *[1] * len(size)).expand(num_frames, *size)
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
    found = rssm.step(RSSMState(state, latent), action, observation, generators(seed))
    assert isinstance(found, tuple) and len(found) == 3, "step(…) gives three things: the next state, prior, posterior"
    after, prior, posterior = found
    assert isinstance(after, RSSMState), "the first thing that step(…) gives is an RSSMState"
    unseen = "without an observation there is no posterior: the third thing that step(…) gives is None"
    assert (posterior is None) == (observation is None), unseen
    return after.deterministic, after.latent, prior, prior if posterior is None else posterior


class FormulaDream(torch.nn.Module):
    """Stands for an RSSM: a step that is one formula with a draw in it. It learns, so a gradient shows.

    Args:
        seed: of the weights.
        num_actions, hidden, latent: sizes.
    """

    def __init__(self, seed: int, num_actions: int, hidden: int, latent: int):
        super().__init__()
        self.turn = torch.nn.Parameter(noise(seed, hidden, hidden, scale=0.5, dtype=torch.float64))
        self.key = torch.nn.Parameter(noise(seed + 1, num_actions, hidden, dtype=torch.float64))
        self.latent = latent

    def forward(self, *args, **kwargs):
        raise TypeError("the world itself is not called: use its step")

    def step(self, state, action, observation=None, generator=None):
        """As `RSSM.step`; what does not fit is said in words."""
        assert observation is None, "imagination looks at no observation"
        assert action.dtype == torch.int64 and action.shape == state.latent.shape[:1], "the actions are int64, (B,)"
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
    world, actor = FormulaDream(seed, num_actions, hidden, latent), MatrixActor(seed, hidden + latent, num_actions)
    return world, actor, h, z, horizon, seed


def dreaming(function: Callable) -> Callable:
    """A learner's `imagine` with the start in two parts and a seed in place of a generator."""

    def call(world, actor, state, latent, horizon, seed):
        return function(world, actor, RSSMState(state, latent), horizon, generators(seed))

    return call


def distributions(seed: int) -> Iterator[tuple]:
    """Logits of a posterior and a prior, far apart and close, on several axes; and options of `kl_balance`."""
    options: tuple[dict, ...] = ({}, {"free_nats": 0.4}, {"dynamics": 0.9, "representation": 0.3},
                                 {"free_nats": 0.0, "dynamics": 0.2})  # fmt: skip
    sizes = ((4, 3, 2, 5), (6, 4, 3), (3, 5, 4, 2), (2, 2, 3, 6))
    for k, (size, option) in enumerate(zip(sizes, options)):
        scale = uniform(seed + k, *size[:-2], 1, 1, low=0.05, high=1.6, dtype=torch.float64)
        yield *(scale * noise(seed + 10 * k + j, *size, dtype=torch.float64) for j in (0, 1)), option


def trained(function: Callable) -> Callable:
    """A loss of two distributions as a call on their logits: the loss, and its gradients at both."""

    def call(q, p, part=None, **options):
        logits = [x.detach().clone().requires_grad_() for x in (q, p)]
        loss = function(*(x.log_softmax(dim=-1) for x in logits), **options)
        assert isinstance(loss, torch.Tensor) and loss.requires_grad, "the loss carries no gradient"
        found = torch.autograd.grad(loss, logits, allow_unused=True)
        slopes = (torch.zeros_like(x) if slope is None else slope for x, slope in zip(logits, found))
        made = dict(zip(("loss", "posterior", "prior"), (loss.detach(), *slopes)))
        return made[part] if part else tuple(made.values())

    return call


def dreamt_steps(seed: int) -> Iterator[tuple]:
    """Logits, actions, returns (of wide and of narrow spread), values, weights; and options of `actor_loss`."""
    sizes = ((5, 4, 3), (3, 6, 4), (4, 3, 2), (2, 5, 5))
    options: tuple[dict, ...] = ({}, {"entropy": 0.3}, {"entropy": 0.05}, {"entropy": 0})
    for k, ((batch, steps, count), option) in enumerate(zip(sizes, options)):
        scale, size = (4.0, 0.1, 1.5, 9.0)[k], (batch, steps)
        many = [noise(seed + 20 * k + j, *size, dtype=torch.float64, scale=scale) for j in (1, 2)]
        weights = uniform(seed + k, *size, low=0.1, high=1.0, dtype=torch.float64)
        logits = noise(seed + 20 * k, *size, count, dtype=torch.float64)
        yield logits, whole(seed + k, *size, below=count), *many, weights, option


def learning(function: Callable) -> Callable:
    """A loss of a policy: its value, and the gradient that it gives to the logits. Nothing else may get one."""

    def call(logits, actions, *others, part=None, **options):
        wanting = [x.detach().clone().requires_grad_() for x in (logits, *others)]
        loss = function(wanting[0], actions, *wanting[1:], **options)
        assert isinstance(loss, torch.Tensor) and loss.requires_grad, "actor_loss(…) carries no gradient"
        found = torch.autograd.grad(loss, wanting, allow_unused=True)
        for name, gradient in zip(("returns", "values", "weights"), found[1:]):
            reached = gradient is not None and gradient.abs().sum() > 0
            assert not reached, f"a gradient of actor_loss(…) reaches the {name}: the loss trains the policy alone"
        assert found[0] is not None, "no gradient of actor_loss(…) reaches the logits"
        made = {"loss": loss.detach(), "slope": found[0]}
        return made[part] if part else tuple(made.values())

    return call


def interpolated(ordered: torch.Tensor, part: float) -> torch.Tensor:
    """The percentile of numbers in order, between neighbours by a straight line."""
    at = part * (len(ordered) - 1)
    low = min(int(at), len(ordered) - 2)
    return ordered[low] + (at - low) * (ordered[low + 1] - ordered[low])
