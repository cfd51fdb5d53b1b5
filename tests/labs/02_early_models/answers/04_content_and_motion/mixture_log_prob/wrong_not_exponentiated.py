"""Takes log_std for the standard deviation.

Message: the standard deviation itself
"""


def mixture_log_prob(mixture, motion):
    z = motion.float().transpose(1, 2)[:, :, None]
    log_std, mean = mixture.log_std.float(), mixture.mean.float()
    each = -0.5 * ((z - mean) / log_std) ** 2 - log_std.abs().log() - 0.5 * math.log(2 * math.pi)
    shares = mixture.logits.float().log_softmax(dim=-1)
    return torch.logsumexp(shares + each.sum(dim=-1), dim=-1)
