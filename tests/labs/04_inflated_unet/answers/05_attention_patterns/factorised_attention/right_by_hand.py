"""Softmax by hand; the group's axes stay where they are, or time moves to the end."""


def factorised_attention(q, k, v, axis):
    height, width = q.shape[3:5]
    if axis == "space":
        q, k, v = (part.flatten(3, 4) for part in (q, k, v))  # b h t s d
    elif axis == "time":
        q, k, v = (part.movedim(2, 4) for part in (q, k, v))  # b h y x t d
    else:
        raise ValueError(f"no axis {axis!r}")
    weights = torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, dim=-1)
    out = weights @ v
    return out.unflatten(3, (height, width)) if axis == "space" else out.movedim(4, 2)
