"""Casts everything to float32, float64 too.

Message: should be float64
"""


def discriminator_hinge_loss(real_scores, fake_scores):
    for name, scores in (("real_scores", real_scores), ("fake_scores", fake_scores)):
        if scores.numel() == 0:
            raise ValueError(f"{name} has no numbers: its shape is {tuple(scores.shape)}")
    return F.relu(1 - real_scores.float()).mean() + F.relu(1 + fake_scores.float()).mean()
