"""Takes off the mean of the whole film, not of each picture.

Message: not a small difference
"""


def compare_frames(frames, film, indices, step=4):
    if frames.shape[1:] != film.shape[1:]:
        raise ValueError("pictures of one shape are needed")
    if len(indices) != len(frames):
        raise ValueError("as many indices as frames are needed")

    def unit(pictures):
        grey = pictures[:, ::step, ::step].astype(np.float64).mean(axis=3).reshape(len(pictures), -1)
        grey -= grey.mean()
        length = np.sqrt((grey**2).sum(axis=1))[:, None]
        return np.divide(grey, length, out=np.zeros_like(grey), where=length > 1e-9)

    likeness = unit(frames) @ unit(film).T
    numbers = likeness.argmax(axis=1).tolist()
    for n, asked in enumerate(indices):
        if likeness[n, asked] >= likeness[n].max() - 1e-6:
            numbers[n] = int(asked)
    error = np.abs(frames.astype(int) - film[list(indices)].astype(int)).max()
    return Proof(numbers, int(error))
