"""Code by code, in plain Python."""


def name_codes(codes, actions, num_codes):
    if codes.numel() == 0:
        raise ValueError("no labelled pairs")
    if min(codes.tolist()) < 0 or max(codes.tolist()) >= num_codes:
        raise ValueError("a code is out of range")

    def most(keys):
        return max(sorted(set(keys)), key=keys.count)

    everything, names = actions.tolist(), []
    for code in range(num_codes):
        mine = [a for c, a in zip(codes.tolist(), everything) if c == code]
        names.append(most(mine or everything))
    return torch.tensor(names)
