"""Goes through all clips in a random order and closes a batch when it is full."""


def bucket_batches(shapes, max_tokens, seed=0):
    if max_tokens < 1:
        raise ValueError("max_tokens must be positive")
    g = torch.Generator()
    g.manual_seed(seed)
    done, half_full = [], {}
    for k in torch.randperm(len(shapes), generator=g):
        k = int(k)
        limit = max(max_tokens // num_tokens(shapes[k]), 1)
        batch = half_full.setdefault(shapes[k], [])
        batch.append(k)
        if len(batch) == limit:
            done.append(half_full.pop(shapes[k]))
    done.extend(half_full.values())
    order = torch.argsort(torch.rand(len(done), generator=g))
    return [done[i] for i in order.tolist()]
