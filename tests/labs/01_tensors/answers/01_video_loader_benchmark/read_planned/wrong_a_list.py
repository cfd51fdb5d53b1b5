"""Returns a list of pictures.

Message: NumPy array
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
    return [pictures[i] for i in indices]
