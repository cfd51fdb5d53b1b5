"""Puts the frames back with argsort instead of its inverse.

Message: picture n is frame
"""


def read_planned(film, indices):
    pictures = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        number = -1
        while number < run[-1]:
            number, frame = film.next_frame()
            if number in run:
                pictures[number] = film.to_rgb(frame)
    ordered = np.stack([pictures[i] for i in sorted(indices)])
    return ordered[np.argsort(indices)]
