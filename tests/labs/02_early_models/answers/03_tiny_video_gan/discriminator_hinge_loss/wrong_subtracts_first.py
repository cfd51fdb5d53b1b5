"""Subtracts in half precision and converts after it.

Message: convert to float32 first
"""


def discriminator_hinge_loss(real_scores, fake_scores):
    if real_scores.numel() == 0 or fake_scores.numel() == 0:
        raise ValueError("no scores")
    real, fake = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
    return F.relu((1 - real_scores).to(real.dtype)).mean() + F.relu(1 + fake).mean()
