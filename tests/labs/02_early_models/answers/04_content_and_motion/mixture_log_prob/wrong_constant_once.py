"""One constant for a code of D numbers.

Message: constant was taken off once
"""


def mixture_log_prob(mixture, motion):
    z = motion.float().transpose(1, 2)[:, :, None]
    log_std = mixture.log_std.float()
    each = -0.5 * ((z - mixture.mean.float()) / log_std.exp()).square() - log_std
    each = each.sum(dim=-1) - 0.5 * LOG_2_PI
    return torch.logsumexp(mixture.logits.float().log_softmax(dim=-1) + each, dim=-1)
