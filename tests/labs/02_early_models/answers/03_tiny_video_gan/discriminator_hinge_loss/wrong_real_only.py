"""Forgets the fake ones.

Message: mean max(0, 1 + D(G(z)))
"""


def discriminator_hinge_loss(real_scores, fake_scores):
    for name, scores in (("real_scores", real_scores), ("fake_scores", fake_scores)):
        if scores.numel() == 0:
            raise ValueError(f"{name} has no numbers: its shape is {tuple(scores.shape)}")
    real_scores, fake_scores = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
    return F.relu(1 - real_scores).mean()
