"""What the diffusion arms of the `mini` world are trained to predict: a velocity, the noise, or v.

    arm_recipe("mini-epsilon", **ARMS["epsilon"])        the default arm with another path and target
    as_velocity(model, "epsilon")                        that model, asked in the language of flow matching

The network, its inputs and the noise are the same in all of them. Whoever knows x and one prediction knows the others,
so `as_velocity` lets one sampler draw with every arm.
"""

from collections.abc import Callable

import numpy as np
import torch
from diffusers.utils import BaseOutput

from common.diffusion.convert import from_flow, join, split
from common.diffusion.losses import flow_matching_loss, logit_normal
from common.diffusion.paths import Level, add_noise, ddpm_level
from common.diffusion.schedules import ddpm_alphas_cumprod

NO_PROMPT_PART = 0.1  # of the samples: without a prompt, for guidance
LEVEL_MEAN = 1.0  # of the noise levels' logit: where things are is decided at high levels
NUM_TRAIN_TIMESTEPS = 1000
SCHEDULE = "squaredcos_cap_v2"  # the cosine schedule
LEAST_SIGNAL = 0.02  # what noise predicts of the data is divided by the signal, which is 0 at level 1


def alphas_cumprod() -> torch.Tensor:
    """ᾱ of the cosine schedule that the arms "epsilon" and "v" are trained with: `(1000,)`."""
    return ddpm_alphas_cumprod(NUM_TRAIN_TIMESTEPS, SCHEDULE)


def with_prompts(model, batch, noise) -> Callable:
    """The model with the prompts of a batch, a tenth of them left out: `(x, timestep) -> ` its prediction.

    Args:
        model: `(x, timestep, states, mask) -> .sample`.
        batch: as `MiniLatents` gives it.
        noise: decides which clips have no prompt.
    """
    num_clips = len(batch["latents"])
    no_prompt = noise.uniform("prompt") < NO_PROMPT_PART  # (B,)
    chosen = torch.arange(num_clips, device=no_prompt.device).masked_fill(no_prompt, num_clips)  # the last is empty
    states, mask = batch["states"][chosen], batch["mask"][chosen]
    return lambda x, timestep: model(x, timestep, states, mask).sample


def compute_loss(model, batch, noise):
    """Flow matching at one level per clip, logit-normal: the loss of the default arm.

    Args:
        model: `(x, timestep, states, mask) -> .sample`, a velocity as x.
        batch: as `MiniLatents` gives it.
        noise: of the levels and the latents, and which clips have no prompt.
    """
    return _flow_loss(model, batch, noise, logit_normal(noise.normal("level"), LEVEL_MEAN))


def uniform_loss(model, batch, noise):
    """Flow matching at levels that are all equally likely. Arguments as for `compute_loss`."""
    return _flow_loss(model, batch, noise, noise.uniform("level"))


def epsilon_loss(model, batch, noise):
    """DDPM's loss: the squared error of the noise, at one timestep per clip. Arguments as for `compute_loss`."""
    return _ddpm_loss(model, batch, noise, "epsilon")


def v_loss(model, batch, noise):
    """The squared error of v on DDPM's path (arXiv:2202.00512). Arguments as for `compute_loss`."""
    return _ddpm_loss(model, batch, noise, "v_prediction")


def as_velocity(model: Callable, kind: str) -> Callable:
    """A model of DDPM's path, asked on the straight one: `(x, 1000 s, states, mask) -> .sample`, a velocity.

    The noisy clip is scaled to the level of DDPM's path that has the same noise for its signal. Between two timesteps
    the model is asked between them.

    Args:
        model: of the arm "epsilon" or "v".
        kind: what it predicts, as in `convert.split`: "epsilon" or "v_prediction".
    """
    angles = torch.atan2(*reversed(ddpm_level(torch.arange(NUM_TRAIN_TIMESTEPS), alphas_cumprod()))).double().numpy()

    def velocity(x, timestep, *prompt):
        s = timestep.float() / 1000
        angle = np.clip(torch.atan2(s, 1 - s).double().numpy(), angles[0], angles[-1])  # tan: noise / signal
        level = Level(torch.from_numpy(np.cos(angle)).float(), torch.from_numpy(np.sin(angle)).float())
        asked = torch.from_numpy(np.interp(angle, angles, np.arange(NUM_TRAIN_TIMESTEPS))).float()
        noisy = from_flow(x, s, level)
        prediction = model(noisy, asked, *prompt).sample.float()
        usable = Level(level.signal.clamp(min=LEAST_SIGNAL), level.noise) if kind == "epsilon" else level
        x0, eps = split(noisy, prediction, kind, usable)
        return BaseOutput(sample=eps - x0)

    return velocity


def _flow_loss(model, batch, noise, s):
    x0 = batch["latents"]
    eps = noise.normal("eps", x0.shape[1:])
    return {"loss": flow_matching_loss(with_prompts(model, batch, noise), x0, eps, s).mean()}


def _ddpm_loss(model, batch, noise, kind):
    x0 = batch["latents"]
    timestep, eps = noise.integers("level", NUM_TRAIN_TIMESTEPS), noise.normal("eps", x0.shape[1:])
    level = ddpm_level(timestep, alphas_cumprod())
    predicted = with_prompts(model, batch, noise)(add_noise(x0, eps, level), timestep.float())
    return {"loss": (predicted.float() - join(x0, eps, kind, level).float()).square().mean()}
