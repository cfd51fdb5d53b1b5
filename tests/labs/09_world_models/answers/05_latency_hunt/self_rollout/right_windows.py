"""Windows of the actions by unfold, and frames in a list."""


@torch.no_grad()
def self_rollout(model, clip, actions, eps, chosen):
    k = model.config.context
    real = clip[:, :, k:]
    if not chosen.any():
        return real.clone()
    frames = list(clip[chosen][:, :, :k].unbind(dim=2))
    for keys, noise in zip(actions[chosen].unfold(1, k, 1).unbind(dim=1), eps[chosen].unbind(dim=2)):
        frames.append(sample_next(model, torch.stack(frames[-k:], dim=2), keys, 1, eps=noise))
    own = real.clone()
    own[chosen] = torch.stack(frames[k:], dim=2)
    return own
