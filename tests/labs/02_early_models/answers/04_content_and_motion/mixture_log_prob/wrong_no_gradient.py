"""Only measures.

Message: no gradient
"""


@torch.no_grad()
def mixture_log_prob(mixture, motion):
    z = motion.float().transpose(1, 2)[:, :, None]
    log_std = mixture.log_std.float()
    each = -0.5 * (((z - mixture.mean.float()) / log_std.exp()).square() + 2 * log_std + LOG_2_PI)
    return torch.logsumexp(mixture.logits.float().log_softmax(dim=-1) + each.sum(dim=-1), dim=-1)
