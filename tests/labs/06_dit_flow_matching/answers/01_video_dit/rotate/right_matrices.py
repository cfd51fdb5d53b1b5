"""A matrix of two by two for each pair."""


def rotate(x, rotation):
    c, s = rotation.real, rotation.imag
    turn = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)  # (N, P, 2, 2)
    pairs = rearrange(x.float(), "b n h (p two) -> b n h p two", two=2)
    return rearrange(torch.einsum("npij,bnhpj->bnhpi", turn, pairs), "b n h p i -> b n h (p i)").to(x.dtype)
