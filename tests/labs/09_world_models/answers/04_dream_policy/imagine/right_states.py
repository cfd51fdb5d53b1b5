"""A list of states first; the features are read at the end."""


@torch.no_grad()
def imagine(world, actor, start, horizon, generator=None):
    states, pressed = [start], []
    while len(pressed) < horizon:
        logits = actor(states[-1].features)
        pressed.append(torch.multinomial(logits.log_softmax(-1).exp(), 1, generator=generator).flatten())
        states.append(world.step(states[-1], pressed[-1], generator=generator)[0])
    return Imagined(torch.stack([s.features for s in states], 1), torch.stack(pressed, 1))
