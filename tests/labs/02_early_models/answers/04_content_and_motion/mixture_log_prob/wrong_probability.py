"""Returns the probability.

Message: that is the probability
"""


def mixture_log_prob(mixture, motion):
    z = motion.float().transpose(1, 2)[:, :, None]
    log_std, mean = mixture.log_std.float(), mixture.mean.float()
    each = -0.5 * ((z - mean) / log_std.exp()) ** 2 - log_std - 0.5 * math.log(2 * math.pi)
    shares = mixture.logits.float().log_softmax(dim=-1)
    return torch.logsumexp(shares + each.sum(dim=-1), dim=-1).exp()
