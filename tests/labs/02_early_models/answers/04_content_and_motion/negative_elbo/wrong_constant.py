"""Keeps the constant of the normal distribution.

Message: num_frames / n times the sum
"""


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    share = num_frames / target.shape[2]
    each = -torch.distributions.Normal(restored.float(), pixel_std).log_prob(target.float())
    return {
        "pixels": share * each.flatten(1).sum(dim=1),
        "content": codes.content.kl(),
        "motion": share * codes.motion.kl(),
    }
