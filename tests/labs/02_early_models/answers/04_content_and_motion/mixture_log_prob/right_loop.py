"""Component after component, the largest taken out by hand."""


def mixture_log_prob(mixture, motion):
    z, parts = motion.float().transpose(1, 2), []
    logits = mixture.logits.float()
    for k in range(logits.shape[2]):
        mean, log_std = mixture.mean[:, :, k].float(), mixture.log_std[:, :, k].float()
        log_density = -((z - mean) ** 2 * torch.exp(-2 * log_std) + 2 * log_std + math.log(2 * math.pi)).sum(-1) / 2
        parts.append(log_density + logits[:, :, k])
    parts = torch.stack(parts)
    largest = parts.max(dim=0).values
    return largest + (parts - largest).exp().sum(dim=0).log() - logits.logsumexp(dim=-1)
