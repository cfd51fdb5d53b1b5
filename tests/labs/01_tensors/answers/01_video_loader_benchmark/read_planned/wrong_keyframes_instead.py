"""Takes the keyframe of each run for the frame itself.

Message: is the keyframe of its run
"""


def read_planned(film, indices):

    pictures = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        _, frame = film.next_frame()
        for index in run:
            pictures[index] = film.to_rgb(frame)
    return np.stack([pictures[i] for i in indices])
