"""Fills an array, with a list of places for each frame.
"""


def read_planned(film, indices):

    frames = None
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        for expected in range(keyframe, run[-1] + 1):
            number, frame = film.next_frame()
            assert number == expected
            if number not in run:
                continue
            picture = film.to_rgb(frame)
            if frames is None:
                frames = np.empty((len(indices), *picture.shape), np.uint8)
            for place, index in enumerate(indices):
                if index == number:
                    frames[place] = picture
    return frames
