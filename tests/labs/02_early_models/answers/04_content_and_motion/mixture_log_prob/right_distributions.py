"""By torch.distributions."""


def mixture_log_prob(mixture, motion):
    normal = torch.distributions.Normal(mixture.mean.float(), mixture.log_std.float().exp())
    code = torch.distributions.Independent(normal, 1)
    share = torch.distributions.Categorical(logits=mixture.logits.float())
    return torch.distributions.MixtureSameFamily(share, code).log_prob(rearrange(motion.float(), "b d t -> b t d"))
