"""A table by index_put, rows of zeros filled in."""


def name_codes(codes, actions, num_codes):
    if len(codes) < 1 or bool((codes < 0).any()) or bool((codes >= num_codes).any()):
        raise ValueError(f"codes are from 0 to {num_codes - 1}")
    table = torch.zeros(num_codes, int(actions.max()) + 1)
    table.index_put_((codes, actions), torch.ones(len(codes)), accumulate=True)
    empty = table.sum(dim=1) == 0
    table[empty] = table.sum(dim=0)
    best = table.max(dim=1, keepdim=True).values
    return (table == best).int().argmax(dim=1)
