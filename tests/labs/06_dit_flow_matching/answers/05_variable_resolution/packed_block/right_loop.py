"""Slices in place of unpack."""


def packed_block(block, clips, signals, texts, rotations):
    n = len(clips)
    for other in (signals, texts, rotations):
        if len(other) != n:
            raise ValueError(f"{n} clips, {len(other)} of something else")
    together = pack(clips)
    tokens = together.tokens.unsqueeze(2)
    attention, text_attention, feed = block.modulation(torch.cat(tuple(signals), dim=0).unsqueeze(0))
    result = block.attention(attention.enter(tokens).squeeze(2), rotation=torch.cat(tuple(rotations)), mask=together.mask)
    tokens = attention.leave(tokens, result[0].unsqueeze(2))
    h, start, pieces = text_attention.enter(tokens).squeeze(2), 0, []
    for clip, text in zip(clips, texts):
        pieces.append(block.cross_attention(h[:, start : start + len(clip)], text.unsqueeze(0)))
        start += len(clip)
    tokens = text_attention.leave(tokens, torch.cat(pieces, dim=1).unsqueeze(2))
    tokens = feed.leave(tokens, block.ffn(feed.enter(tokens)))
    return list(tokens[0, :, 0].split([len(clip) for clip in clips]))
