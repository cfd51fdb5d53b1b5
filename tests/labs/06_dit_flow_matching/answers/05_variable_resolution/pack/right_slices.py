"""A mask of False, in which squares are filled."""


def pack(sequences):
    if len(sequences) == 0 or any(s.shape[0] == 0 for s in sequences):
        raise ValueError("nothing to pack")
    tokens = torch.cat(tuple(sequences), dim=0).unsqueeze(0)
    total, start, lengths = tokens.shape[1], 0, []
    mask = torch.zeros(total, total, dtype=torch.bool, device=tokens.device)
    for s in sequences:
        end = start + s.shape[0]
        mask[start:end, start:end] = True
        lengths.append(s.shape[0])
        start = end
    return Packed(tokens=tokens, mask=mask, lengths=lengths)
