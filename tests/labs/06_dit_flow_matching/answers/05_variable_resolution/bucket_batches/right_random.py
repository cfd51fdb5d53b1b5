"""Python's own random numbers, and a list that is emptied."""


def bucket_batches(shapes, max_tokens, seed=0):
    import random

    if max_tokens <= 0:
        raise ValueError(f"max_tokens is {max_tokens}")
    dice = random.Random(seed)
    by_shape = {}
    for number in range(len(shapes)):
        by_shape.setdefault(shapes[number], []).append(number)
    epoch = []
    for shape in by_shape:
        clips = by_shape[shape]
        dice.shuffle(clips)
        most = max_tokens // num_tokens(shape) or 1
        while clips:
            epoch.append(clips[:most])
            clips = clips[most:]
    dice.shuffle(epoch)
    return epoch
