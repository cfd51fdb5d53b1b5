"""Closes the file by hand, and asks for the first frame at another rate.
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    reader = VideoReader(path)
    try:
        times = reader.timestamps
        if fps is None:
            first = fps_indices(times, 24, 1, start).pop()
            wanted = [first + i for i in even_indices(len(times) - first, num_frames)]
        else:
            wanted = fps_indices(times, fps, num_frames, start)
        return frames_to_clip(reader.read(wanted, size=size))
    finally:
        reader.close()
