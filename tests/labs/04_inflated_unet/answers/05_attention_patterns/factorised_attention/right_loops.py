"""Frame by frame; along time with five axes, which SDPA takes."""


def factorised_attention(q, k, v, axis):
    if axis == "space":
        frames = []
        for t in range(q.shape[2]):
            parts = [part[:, :, t].flatten(2, 3) for part in (q, k, v)]
            frames.append(F.scaled_dot_product_attention(*parts).reshape(q[:, :, t].shape))
        return torch.stack(frames, dim=2)
    if axis == "time":
        parts = [rearrange(part, "b h t y x d -> b h y x t d") for part in (q, k, v)]
        return rearrange(F.scaled_dot_product_attention(*parts), "b h y x t d -> b h t y x d")
    raise ValueError(axis)
