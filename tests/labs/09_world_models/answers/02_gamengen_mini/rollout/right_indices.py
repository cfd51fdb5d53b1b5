"""Windows by index, a list as the ring buffer."""


def rollout(model, past, actions, num_steps=2, *, context_noise=0.0, generator=None):
    frames = list(past.unbind(dim=2))
    k, n = len(frames), actions.shape[1]
    if n < k:
        raise ValueError(f"{k} frames need {k} actions, got {n}")
    for first in range(n - k + 1):
        options = {"context_noise": context_noise, "generator": generator}
        new = sample_next(model, torch.stack(frames[-k:], dim=2), actions[:, first : first + k], num_steps, **options)
        frames.append(new)
        yield new
