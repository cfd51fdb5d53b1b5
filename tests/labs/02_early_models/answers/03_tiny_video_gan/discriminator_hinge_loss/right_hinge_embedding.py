"""torch's hinge embedding loss, once for each kind."""


def discriminator_hinge_loss(real_scores, fake_scores):
    for name, scores in (("real_scores", real_scores), ("fake_scores", fake_scores)):
        if scores.numel() == 0:
            raise ValueError(f"{name} has no numbers: its shape is {tuple(scores.shape)}")
    real_scores, fake_scores = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (real_scores, fake_scores))
    real = F.hinge_embedding_loss(real_scores, torch.full_like(real_scores, -1))
    return real + F.hinge_embedding_loss(-fake_scores, torch.full_like(fake_scores, -1))
