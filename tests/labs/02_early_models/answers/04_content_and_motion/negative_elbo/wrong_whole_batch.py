"""Sums over the batch as well.

Message: added up
"""


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    share = num_frames / target.shape[2]
    squares = (restored.float() - target.float()).square().sum().expand(len(target))
    return {
        "pixels": share * squares / (2 * pixel_std**2),
        "content": codes.content.kl(),
        "motion": share * codes.motion.kl(),
    }
