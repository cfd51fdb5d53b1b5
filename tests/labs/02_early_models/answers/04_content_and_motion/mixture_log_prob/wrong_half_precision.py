"""Computes in the precision that it is given.

Message: float32
"""


def mixture_log_prob(mixture, motion):
    z = motion.transpose(1, 2)[:, :, None]
    each = -0.5 * ((z - mixture.mean) / mixture.log_std.exp()) ** 2 - mixture.log_std - 0.5 * math.log(2 * math.pi)
    return torch.logsumexp(mixture.logits.log_softmax(dim=-1) + each.sum(dim=-1), dim=-1)
