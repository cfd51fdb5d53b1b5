"""Averages over the scores before the margin only.

Message: every score alike
"""


def discriminator_hinge_loss(real_scores, fake_scores):
    if real_scores.numel() == 0 or fake_scores.numel() == 0:
        raise ValueError("no scores")
    real, fake = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
    return F.relu(1 - real).sum() / (real < 1).sum().clamp(min=1) + F.relu(1 + fake).mean()
