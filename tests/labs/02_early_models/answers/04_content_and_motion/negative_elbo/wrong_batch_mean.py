"""Averages over the batch, as a loss does.

Message: a single number, with no axes
"""


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    share = num_frames / target.shape[2]
    squares = (restored.float() - target.float()).square().flatten(1).sum(dim=1)
    return {
        "pixels": (share * squares / (2 * pixel_std**2)).mean(),
        "content": codes.content.kl().mean(),
        "motion": share * codes.motion.kl().mean(),
    }
