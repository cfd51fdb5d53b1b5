"""A list of all products, each as m, n, p."""

import math


def attention_flops(num_tokens, group_size, dim, batch_size=1):
    if any(value < 1 for value in (num_tokens, group_size, dim, batch_size)):
        raise ValueError("every number is at least 1")
    if math.gcd(num_tokens, group_size) != group_size:
        raise ValueError("the groups do not tile the tokens")
    shapes = [(num_tokens, dim, dim)] * 4
    shapes += [(group_size, dim, group_size), (group_size, group_size, dim)] * (num_tokens // group_size)
    return sum(2 * math.prod(shape) for shape in shapes) * batch_size
