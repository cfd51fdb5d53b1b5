"""Finds the frame at `start` by multiplying with the average rate.

Message: by its timestamp
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        if fps is not None:
            indices = fps_indices(reader.timestamps, fps, num_frames, start)
        else:
            first = int(start * reader.info.fps + 1e-6)
            indices = [first + i for i in even_indices(len(reader.timestamps) - first, num_frames)]
        return frames_to_clip(reader.read(indices, size=size))
