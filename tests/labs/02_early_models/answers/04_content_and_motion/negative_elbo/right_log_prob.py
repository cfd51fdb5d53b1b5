"""The log-probability less its constant, and the divergence written out."""


def kl(dist):
    each = 0.5 * (dist.mean**2 + dist.logvar.exp() - 1 - dist.logvar)
    return each.reshape(len(each), -1).sum(1)


def negative_elbo(restored, target, codes, *, num_frames, pixel_std=0.1):
    n = codes.motion.mean.shape[-1]
    normal = torch.distributions.Normal(restored.float(), pixel_std)
    logs = normal.log_prob(restored.float()) - normal.log_prob(target.float())
    return {
        "pixels": logs.sum((1, 2, 3, 4)) * (num_frames / n),
        "content": kl(codes.content),
        "motion": kl(codes.motion) * (num_frames / n),
    }
