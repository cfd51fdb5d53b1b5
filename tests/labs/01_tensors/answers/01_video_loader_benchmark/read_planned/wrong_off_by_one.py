"""Counts positions itself, from one too early.

Message: picture n is frame
"""


def read_planned(film, indices):

    pictures = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        for count in range(keyframe, run[-1] + 1):
            _, frame = film.next_frame()
            if count + 1 in run or count in run:
                pictures.setdefault(min(count + 1, run[-1]) if count + 1 in run else count, film.to_rgb(frame))
    return np.stack([pictures[i] for i in indices])
