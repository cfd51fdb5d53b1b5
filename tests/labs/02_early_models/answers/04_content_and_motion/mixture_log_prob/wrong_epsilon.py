"""Adds a little before the logarithm.

Message: Far away too
"""


def mixture_log_prob(mixture, motion):
    z = motion.float().movedim(1, 2)[:, :, None]
    normal = torch.distributions.Normal(mixture.mean.float(), mixture.log_std.float().exp())
    each = normal.log_prob(z).sum(-1)
    return (mixture.logits.float().softmax(-1) * each.exp()).sum(-1).clamp(min=1e-30).log()
