"""A loop over both, a correlation at a time.
"""


def compare_frames(frames, film, indices, step=4):
    if frames.shape[1:] != film.shape[1:]:
        raise ValueError("pictures of one shape are needed")
    if len(indices) != len(frames):
        raise ValueError("as many indices as frames are needed")

    def likeness(a, b):
        a, b = (x[::step, ::step].mean(axis=-1) for x in (a, b))
        a, b = a - a.mean(), b - b.mean()
        length = np.linalg.norm(a) * np.linalg.norm(b)
        return float((a * b).sum() / length) if length > 1e-9 else 0.0

    numbers, largest = [], 0
    for picture, asked in zip(frames, indices):
        alike = [likeness(picture, other) for other in film]
        numbers.append(asked if max(alike) - alike[asked] <= 1e-6 else alike.index(max(alike)))
        bigger, smaller = np.maximum(picture, film[asked]), np.minimum(picture, film[asked])
        largest = max(largest, int((bigger - smaller).max()))
    return Proof(numbers, largest)
