"""detach() instead of no_grad, and all gradients zeroed before every backward()."""


def adversarial_step(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    if len(latents) < 2:
        raise ValueError(f"latents are (1 + M, B, D); got {len(latents)}")
    generator_optimizer, discriminator_optimizer = optimizers
    fake = generator(latents[0]).detach()
    loss = discriminator_hinge_loss(discriminator(real), discriminator(fake))
    penalty = torch.tensor(0.0)
    if penalty_weight > 0:
        penalty = gradient_penalty(discriminator, real)
        loss = loss + 0.5 * penalty_weight * penalty
    for optimizer in optimizers:
        optimizer.zero_grad()
    loss.backward()
    discriminator_optimizer.step()
    for k in range(1, len(latents)):
        made = -discriminator(generator(latents[k])).mean()
        for optimizer in optimizers:
            optimizer.zero_grad()
        made.backward()
        generator_optimizer.step()
    for optimizer in optimizers:
        optimizer.zero_grad()
    return {"penalty": penalty.detach(), "generator": made.detach(), "discriminator": loss.detach()}
