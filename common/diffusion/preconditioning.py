"""EDM's preconditioning around a raw network: it sees and predicts numbers of one size at every noise level."""

from typing import NamedTuple

import torch


class Preconditioning(NamedTuple):
    """D(x; sigma) = c_skip x + c_out F(c_in x, c_noise): D is the denoiser, F the raw network.

    Attributes:
        c_skip: how much of the noisy input passes by the network.
        c_out: scales what the network gives.
        c_in: scales what the network gets.
        c_noise: what the network is told of the level.
    """

    c_skip: torch.Tensor
    c_out: torch.Tensor
    c_in: torch.Tensor
    c_noise: torch.Tensor


def edm_precondition(sigma: torch.Tensor, sigma_data: float = 0.5) -> Preconditioning:
    """EDM's preconditioning (Karras et al. 2022, arXiv:2206.00364, table 1): its four factors at each noise level.

    The denoiser D gets x = x0 + sigma · eps. Here x0 is data with mean 0 and standard deviation sigma_data, and eps is
    standard normal noise. D(x) = c_skip x + c_out F(c_in x, c_noise) estimates x0, where F is the raw network.

    - c_in makes the input c_in x have variance 1.
    - c_skip and c_out make F's target, (x0 - c_skip x) / c_out, have variance 1. Among all such pairs it is the one
      with the smallest c_out, which is positive. (So F's mistakes are scaled up the least.)
    - c_noise is ln(sigma) / 4.

    Args:
        sigma: noise levels above 0 and at most 100, of any shape.
        sigma_data: standard deviation of the data, above 0.

    Returns:
        c_skip, c_out, c_in and c_noise, as a tuple or as `Preconditioning`; each has sigma's shape and dtype.
    """
    total = (sigma**2 + sigma_data**2).sqrt()  # the standard deviation of x
    return Preconditioning(sigma_data**2 / total**2, sigma * sigma_data / total, 1 / total, sigma.log() / 4)
