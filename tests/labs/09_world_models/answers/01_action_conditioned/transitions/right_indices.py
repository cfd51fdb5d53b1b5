"""A table of indices."""


def transitions(clips, actions, context):
    num_frames = clips.shape[2]
    if list(actions.shape) != [clips.shape[0], num_frames - 1]:
        raise ValueError("actions")
    if context not in range(1, num_frames):
        raise ValueError("context")
    index = torch.arange(num_frames - context)[:, None] + torch.arange(context)  # (n, K)
    past = clips[:, :, index].permute(0, 2, 1, 3, 4, 5).flatten(0, 1)
    return Transitions(past, actions[:, index].flatten(0, 1), clips[:, :, context:].transpose(1, 2).flatten(0, 1))
