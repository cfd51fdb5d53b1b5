"""A mean over nothing is NaN.

Message: ValueError
"""


def discriminator_hinge_loss(real_scores, fake_scores):
    real_scores, fake_scores = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
    return F.relu(1 - real_scores).mean() + F.relu(1 + fake_scores).mean()
