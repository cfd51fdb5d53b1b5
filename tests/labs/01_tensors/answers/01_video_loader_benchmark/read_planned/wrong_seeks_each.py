"""Seeks and decodes for each index by itself.

Message: more than once
"""


def read_planned(film, indices):

    pictures = []
    for index in indices:
        [(keyframe, _)] = decode_runs([index], film.keyframes)
        film.seek(keyframe)
        number = -1
        while number < index:
            number, frame = film.next_frame()
        pictures.append(film.to_rgb(frame))
    return np.stack(pictures)
