"""More latent channels for a trained autoencoder: net2net-style growth (arXiv:1511.05641) of its bottleneck alone."""

import torch

from common.models.autoencoder import CausalVideoVAE


@torch.no_grad()
def with_more_latents(model: CausalVideoVAE, latent_channels: int) -> CausalVideoVAE:
    """A wider-bottleneck copy that reconstructs exactly what the model does, to be trained further.

    The old channels come first and are what they were. Each new one takes the log-variance of an old one. Its mean
    comes from fresh weights, as large as those of the old means: a signal no larger than the noise would never be used.
    The decoder's weights on the new channels are zero, so it ignores them until training gives them something to say.

    Args:
        model: the trained one; it is left alone.
        latent_channels: of the copy, at least as many as the model has.

    Raises:
        ValueError: that is fewer than the model has.
    """
    config, old_channels = dict(model.config), model.config.latent_channels
    if latent_channels < old_channels:
        raise ValueError(f"the model has {old_channels} latent channels already, {latent_channels} are fewer")
    sizes = ("fine_channels", "coarse_channels", "num_fine", "num_coarse")
    grown = CausalVideoVAE(latent_channels, **{name: config[name] for name in sizes})
    old, new = model.state_dict(), grown.state_dict()
    for name, tensor in new.items():
        if name.startswith("encoder.moments_out"):  # rows: means of all channels, then log-variances of all
            means, log_variances = old[name].chunk(2)
            fresh = tensor[old_channels:latent_channels]
            if name.endswith("weight"):
                fresh *= means.square().mean().sqrt() / fresh.square().mean().sqrt()
            tensor[:old_channels] = means
            tensor[latent_channels:] = log_variances[torch.arange(latent_channels) % old_channels]
        elif name == "decoder.latents_in.conv.weight":
            tensor.zero_()
            tensor[:, :old_channels] = old[name]
        else:
            tensor.copy_(old[name])
    return grown
