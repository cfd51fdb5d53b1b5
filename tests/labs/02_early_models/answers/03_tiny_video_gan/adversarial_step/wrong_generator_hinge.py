"""Gives the generator's loss a hinge too.

Message: loss of the last move
"""


def adversarial_step(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    if len(latents) < 2:
        raise ValueError(f"latents are (1 + M, B, D); got {len(latents)}")
    generator_optimizer, discriminator_optimizer = optimizers
    makes, judges = ([p for group in o.param_groups for p in group["params"]] for o in optimizers)
    loss = discriminator_hinge_loss(discriminator(real), discriminator(generator(latents[0])))
    penalty = gradient_penalty(discriminator, real) if penalty_weight else loss.new_zeros(())
    loss = loss + penalty * penalty_weight / 2
    discriminator_optimizer.zero_grad()
    loss.backward(inputs=judges)
    discriminator_optimizer.step()
    for z in latents[1:]:
        generator_optimizer.zero_grad()
        generator_loss = torch.relu(1 - discriminator(generator(z))).mean()
        generator_loss.backward(inputs=makes)
        generator_optimizer.step()
    return {"discriminator": loss.detach(), "generator": generator_loss.detach(), "penalty": penalty.detach()}
