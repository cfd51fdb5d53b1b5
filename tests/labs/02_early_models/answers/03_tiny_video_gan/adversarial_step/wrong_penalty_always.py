"""Computes the penalty at weight 0 too.

Message: should be 0
"""


def adversarial_step(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    if len(latents) < 2:
        raise ValueError("latents")
    g_opt, d_opt = optimizers
    with torch.no_grad():
        fake = generator(latents[0])
    loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
    penalty = gradient_penalty(discriminator, real)
    loss = loss + penalty_weight / 2 * penalty
    d_opt.zero_grad()
    loss.backward()
    d_opt.step()
    for z in latents[1:]:
        g_loss = generator_hinge_loss(discriminator(generator(z)))
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
    return {"discriminator": loss.detach(), "generator": g_loss.detach(), "penalty": penalty.detach()}
