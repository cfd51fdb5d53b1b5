"""Assumes that the film stands at frame 0.

Message: raises KeyError
"""


def read_planned(film, indices):
    pictures, here = {}, 0
    for keyframe, run in decode_runs(indices, film.keyframes):
        if keyframe != here:
            film.seek(keyframe)
        number = -1
        while number < run[-1]:
            number, frame = film.next_frame()
            if number in run:
                pictures[number] = film.to_rgb(frame)
        here = number + 1
    return np.stack([pictures[i] for i in indices])
