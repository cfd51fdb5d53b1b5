"""An endless loop with a way out.
"""


def read_planned(film, indices):

    found = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        while True:
            number, frame = film.next_frame()
            if number in set(indices):
                found[number] = film.to_rgb(frame)
            if number >= run[-1]:
                break
    return np.array([found[index] for index in indices])
