"""Two loops and lists."""


def transitions(clips, actions, context):
    batch, _, frames = clips.shape[:3]
    if tuple(actions.shape) != (batch, frames - 1) or context < 1 or context > frames - 1:
        raise ValueError(f"{tuple(actions.shape)}, {context}")
    past, pressed, target = [], [], []
    for b in range(batch):
        for t in range(context, frames):
            past.append(clips[b, :, t - context : t])
            pressed.append(actions[b, t - context : t])
            target.append(clips[b, :, t])
    return torch.stack(past), torch.stack(pressed), torch.stack(target)
