"""Hands the frames back in the order of the film.

Message: in the order asked for
"""


def read_planned(film, indices):

    pictures = []
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        number = -1
        while number < run[-1]:
            number, frame = film.next_frame()
            pictures += [film.to_rgb(frame)] * indices.count(number)
    return np.stack(pictures)
