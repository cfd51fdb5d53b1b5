"""One group's two products, times the number of groups."""


def attention_flops(num_tokens, group_size, dim, batch_size=1):
    for value in (num_tokens, group_size, dim, batch_size):
        if value < 1:
            raise ValueError(f"{value} is below 1")
    num_groups, rest = divmod(num_tokens, group_size)
    if rest:
        raise ValueError(f"{group_size} does not divide {num_tokens}")
    scores = 2 * group_size * dim * group_size
    values = 2 * group_size * group_size * dim
    return batch_size * (num_groups * (scores + values) + 4 * (2 * num_tokens * dim**2))
