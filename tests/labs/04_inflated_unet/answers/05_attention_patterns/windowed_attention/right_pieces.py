"""No rolling and no mask: every box by itself, whatever its size."""


def windowed_attention(q, k, v, window, shift=(0, 0, 0)):
    grid = q.shape[2:5]
    cuts = []
    for length, w, s in zip(grid, window, shift):
        if w < 1 or length % w != 0 or s < 0 or s >= w:
            raise ValueError(f"no window of {w} with shift {s} on an axis of {length}")
        ends = [0, *range(s, length, w), length]
        cuts.append([slice(a, b) for a, b in zip(ends, ends[1:]) if b > a])
    out = torch.empty_like(q)
    for frames in cuts[0]:
        for rows in cuts[1]:
            for columns in cuts[2]:
                parts = [part[:, :, frames, rows, columns] for part in (q, k, v)]
                made = F.scaled_dot_product_attention(*(part.flatten(2, 4) for part in parts))
                out[:, :, frames, rows, columns] = made.reshape(parts[0].shape)
    return out
