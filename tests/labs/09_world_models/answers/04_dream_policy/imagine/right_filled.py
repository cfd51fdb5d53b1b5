"""Tensors that are filled, and a block without gradients."""


def imagine(world, actor, start, horizon, generator=None):
    with torch.no_grad():
        here = start.features
        features = here.new_empty(len(here), horizon + 1, here.shape[-1])
        actions = torch.empty(len(here), horizon, dtype=torch.int64)
        features[:, 0], state = here, start
        for t in range(horizon):
            weights = torch.softmax(actor(features[:, t]), dim=1)
            actions[:, t] = torch.multinomial(weights, num_samples=1, generator=generator).squeeze(1)
            state = world.step(state, actions[:, t], None, generator)[0]
            features[:, t + 1] = state.features
    return Imagined(features=features, actions=actions)
