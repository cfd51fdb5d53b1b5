"""Reads in the order of the film, then undoes the sorting with searchsorted.
"""


def read_planned(film, indices):

    wanted = sorted(set(indices))
    pictures = []
    for keyframe, run in decode_runs(wanted, film.keyframes):
        film.seek(keyframe)
        rest = list(run)
        while rest:
            number, frame = film.next_frame()
            if number == rest[0]:
                pictures.append(film.to_rgb(frame))
                rest.pop(0)
    return np.stack(pictures)[np.searchsorted(wanted, indices)]
