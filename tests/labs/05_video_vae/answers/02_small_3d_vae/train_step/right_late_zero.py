"""Everything by keyword; no gradient is left behind either."""


def train_step(model, optimizer, clips, generator=None, *, kl_weight=3e-3, max_grad_norm=1.0):
    optimizer.zero_grad(set_to_none=False)
    posterior = model.encode(clips).latent_dist
    latents = posterior.sample(generator=generator)
    error = reconstruction_loss(restored=model.decode(latents).sample, target=clips)
    kl = posterior.kl().mean().div(clips.shape[1] * clips.shape[2] * clips.shape[3] * clips.shape[4])
    (error + kl_weight * kl).backward()
    torch.nn.utils.clip_grad_norm_(list(model.parameters()), max_norm=max_grad_norm)
    optimizer.step()
    optimizer.zero_grad()
    error, kl = error.item(), kl.item()
    return {"loss": error + kl_weight * kl, "error": error, "kl": kl}
