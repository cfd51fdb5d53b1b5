"""torch has a block-diagonal matrix."""


def pack(sequences):
    lengths = [int(s.size(0)) for s in sequences]
    if not lengths or 0 in lengths:
        raise ValueError(f"lengths {lengths}")
    mask = torch.block_diag(*[torch.ones(n, n) for n in lengths]) > 0
    return Packed(torch.concat(list(sequences))[None], mask.to(sequences[0].device), lengths)
