"""The course's Euler sampler."""

from common.diffusion import euler, last
from common.diffusion.convert import edm_derivative


def sample_next(model, past, actions, num_steps=2, *, context_noise=0.0, generator=None, eps=None):
    level = past.new_zeros(past.shape[0]) + context_noise
    noisy = past
    if context_noise > 0:
        noisy = past + context_noise * randn_tensor(past.shape, generator, past.device, past.dtype)
    if eps is None:
        b, c, _, h, w = past.shape
        eps = randn_tensor((b, c, h, w), generator, past.device)
    sigmas = world_sigmas(num_steps, model.config.sigma_max)

    def estimate(x, sigma):
        return denoise(model, x, sigma, noisy, actions, level)

    return quantize(last(euler(partial(edm_derivative, estimate), sigmas[0] * eps, sigmas)))
