"""Makes the mask itself, after pack has looked at the clips."""


def packed_block(block, clips, signals, texts, rotations):
    if {len(clips)} != {len(signals), len(texts), len(rotations)}:
        raise ValueError("counts differ")
    counts = pack(clips).lengths
    owner = torch.tensor([k for k, c in enumerate(counts) for _ in range(c)])
    x = torch.cat(list(clips)).reshape(1, -1, 1, clips[0].shape[-1])
    m1, m2, m3 = block.modulation(torch.cat(list(signals)).unsqueeze(0))
    a, _ = block.attention(m1.enter(x).flatten(1, 2), torch.cat(list(rotations)), owner[:, None] == owner)
    x = m1.leave(x, a.unsqueeze(-2))
    h = m2.enter(x).flatten(0, 2).split(counts)
    c = [block.cross_attention(h[k].unsqueeze(0), texts[k].unsqueeze(0)).squeeze(0) for k in range(len(clips))]
    x = m2.leave(x, torch.cat(c).reshape(x.shape))
    x = m3.leave(x, block.ffn(m3.enter(x)))
    return [part.flatten(1) for part in x.reshape(-1, x.shape[-1]).split(counts)]
