"""One mean over all scores together.

Message: a mean each
"""


def discriminator_hinge_loss(real_scores, fake_scores):
    for name, scores in (("real_scores", real_scores), ("fake_scores", fake_scores)):
        if scores.numel() == 0:
            raise ValueError(f"{name} has no numbers: its shape is {tuple(scores.shape)}")
    real_scores, fake_scores = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
    return torch.cat([F.relu(1 - real_scores).flatten(), F.relu(1 + fake_scores).flatten()]).mean()
