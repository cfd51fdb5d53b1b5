"""Converts anew for each repeat.

Message: more than once
"""


def read_planned(film, indices):

    frames = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        number = -1
        while number < run[-1]:
            number, frame = film.next_frame()
            if number in run:
                frames[number] = frame
    return np.stack([film.to_rgb(frames[i]) for i in indices])
