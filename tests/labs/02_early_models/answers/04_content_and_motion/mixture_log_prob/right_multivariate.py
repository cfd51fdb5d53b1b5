"""Multivariate normals with a diagonal covariance, and logaddexp one component after the other."""


def mixture_log_prob(mixture, motion):
    z = motion.float().permute(0, 2, 1)
    covariance = torch.diag_embed((2 * mixture.log_std.float()).exp())
    normals = torch.distributions.MultivariateNormal(mixture.mean.float(), covariance)
    joint = nn.functional.log_softmax(mixture.logits.float(), -1) + normals.log_prob(z.unsqueeze(2))
    total = joint[..., 0]
    for k in range(1, joint.shape[-1]):
        total = torch.logaddexp(total, joint[..., k])
    return total
