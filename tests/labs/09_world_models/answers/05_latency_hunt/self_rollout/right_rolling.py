"""One long clip, whose second half is written frame by frame."""


def self_rollout(model, clip, actions, eps, chosen):
    context = model.config.context
    rows, film = chosen.nonzero().flatten(), clip.clone()
    own, keys = film[rows], actions[rows]
    if len(rows):
        with torch.no_grad():
            for t in range(context, 2 * context):
                own[:, :, t] = sample_next(
                    model, own[:, :, t - context : t], keys[:, t - context : t], num_steps=1, eps=eps[rows, :, t - context]
                )
    film[rows] = own
    return film[:, :, context:].contiguous()
