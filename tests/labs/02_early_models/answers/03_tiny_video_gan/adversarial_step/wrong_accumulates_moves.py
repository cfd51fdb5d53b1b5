"""One step of the optimiser for the sum over all moves.

Message: each of latents[1:] is a whole move
"""


def adversarial_step(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    if len(latents) < 2:
        raise ValueError(f"latents are (1 + M, B, D); got {len(latents)}")
    generator_optimizer, discriminator_optimizer = optimizers
    with torch.no_grad():
        fake = generator(latents[0])
    loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
    penalty = gradient_penalty(discriminator, real) if penalty_weight else torch.zeros_like(loss)
    loss = loss + penalty_weight / 2 * penalty
    discriminator_optimizer.zero_grad()
    loss.backward()
    discriminator_optimizer.step()
    generator_optimizer.zero_grad()
    for z in latents[1:]:
        generator_loss = generator_hinge_loss(discriminator(generator(z)))
        generator_loss.backward()
    generator_optimizer.step()
    return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}
