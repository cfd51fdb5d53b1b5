"""Two clips at a time, token by token."""


def reach(layers, x, change, tolerance=1e-9):
    count = x.shape[0]
    found = torch.full((count, count), float("inf"))
    with torch.no_grad():
        for i in range(count):
            clips = torch.stack([x, x])  # the plain one and the changed one
            clips[1, i] = clips[1, i] + change
            for depth, layer in enumerate(layers):
                clips = layer(clips)
                for j in range(count):
                    if (clips[0, j] - clips[1, j]).abs().max() > tolerance and found[i, j] == float("inf"):
                        found[i, j] = depth + 1
            found[i, i] = 0
    return found
