"""An iterator whose error comes at the call."""


def rollout(model, past, actions, num_steps=2, *, context_noise=0.0, generator=None):
    if actions.shape[1] < past.shape[2]:
        raise ValueError("too few actions")

    def run(past):
        for end in range(past.shape[2], actions.shape[1] + 1):
            keys = actions[:, end - past.shape[2] : end]
            frame = sample_next(model, past, keys, num_steps, context_noise=context_noise, generator=generator)
            past = torch.cat([past, frame.unsqueeze(2)], dim=2)[:, :, 1:]
            yield frame

    return run(past)
