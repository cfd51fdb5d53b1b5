"""Diffusion without models: noise, targets, levels, samplers and guidance, as free functions of callables.

The convention of this library: x_s = (1 - s) x0 + s eps, a model predicts eps - x0, its timestep is 1000 s.
"""

from common.diffusion.guidance import Guidance
from common.diffusion.losses import draw_levels, edm_loss, flow_matching_loss, logit_normal
from common.diffusion.paths import Level, add_noise, ddpm_level, edm_level, flow_level, flow_target
from common.diffusion.samplers import Step, ddim, euler, heun, last, stochastic
from common.diffusion.schedules import flow_levels, frame_levels, shift_levels

__all__ = ["Guidance", "Level", "Step", "add_noise", "ddim", "ddpm_level", "draw_levels", "edm_level", "edm_loss",
           "euler", "flow_level", "flow_levels", "flow_matching_loss", "flow_target", "frame_levels", "heun", "last",
           "logit_normal", "shift_levels", "stochastic"]  # fmt: skip
