"""torch.where, and float() where half precision comes in."""


def discriminator_hinge_loss(real_scores, fake_scores):
    total = 0
    for scores, sign in ((real_scores, 1), (fake_scores, -1)):
        if not scores.numel():
            raise ValueError(f"no scores: {tuple(scores.shape)}")
        scores = scores if scores.dtype == torch.float64 else scores.float()
        short = 1 - sign * scores
        total = total + torch.where(short > 0, short, torch.zeros_like(short)).mean()
    return total
