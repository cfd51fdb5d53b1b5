"""A list of layers, then of everything else."""


def count_parameters(config):
    c = dict(config)
    d = c["dim"]
    layers = [(4 * c["in_channels"], d), (d, 4 * c["out_channels"]), (d, 6 * d), (c["text_dim"], d), (d, d)]
    layers += [(c["freq_dim"], d), (d, d)] * (2 if c["has_fps"] else 1)
    other = 2 * d + c["num_text_tokens"] * c["text_dim"]
    for _ in range(2 * c["depth"]):
        layers += [(d, 3 * d), (d, d), (d, d), (d, 2 * d), (d, d), (d, c["ffn_dim"]), (c["ffn_dim"], d)]
        other += 6 * d + d // c["num_heads"] * 2
    return other + sum(m * n + n for m, n in layers)
