"""Returns the sum beside its parts.

Message: has other keys
"""


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    share = num_frames / target.shape[2]
    squares = (restored.float() - target.float()).square().flatten(1).sum(dim=1)
    return {
        "pixels": share * squares / (2 * pixel_std**2),
        "content": codes.content.kl(),
        "total": squares,
        "motion": share * codes.motion.kl(),
    }
