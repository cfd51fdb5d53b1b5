"""Turns every decoded frame into RGB.

Message: for nothing
"""


def read_planned(film, indices):

    pictures = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        number = -1
        while number < run[-1]:
            number, frame = film.next_frame()
            pictures[number] = film.to_rgb(frame)
    return np.stack([pictures[i] for i in indices])
