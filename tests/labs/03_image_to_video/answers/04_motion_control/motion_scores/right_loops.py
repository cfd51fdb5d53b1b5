"""Frame by frame, clip by clip, with lists."""


def motion_scores(flow, masks, fps):
    if fps <= 0:
        raise ValueError("no rate")
    shape = flow.shape[:-4]
    flat, cover = flow.reshape(-1, *flow.shape[-4:]), masks.reshape(-1, *masks.shape[-3:])
    out = flow.new_zeros(len(flat), 2)
    for n, (f, m) in enumerate(zip(flat, cover)):
        lengths = [[], []]
        for t in range(f.shape[1]):
            outside = 1 - m[t]
            back = (f[:, t] * outside).sum((1, 2)) / outside.sum() if outside.sum() > 0 else torch.zeros_like(f[:, 0, 0, 0])
            if m[t].sum() > 0:
                lengths[0].append(((f[:, t] * m[t]).sum((1, 2)) / m[t].sum() - back).norm())
            if outside.sum() > 0:
                lengths[1].append(back.norm())
        for k, values in enumerate(lengths):
            if values:
                out[n, k] = torch.stack(values).mean()
    return (out * fps / flow.shape[-2]).reshape(*shape, 2)
