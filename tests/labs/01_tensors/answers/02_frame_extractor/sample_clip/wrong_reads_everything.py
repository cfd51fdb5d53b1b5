"""Reads the whole film and picks the frames afterwards.

Message: read only those
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        if fps is not None:
            indices = fps_indices(reader.timestamps, fps, num_frames, start)
        else:
            first = fps_indices(reader.timestamps, 1.0, 1, start)[0]
            indices = [first + i for i in even_indices(len(reader.timestamps) - first, num_frames)]
        frames = reader.read(range(len(reader.timestamps)), size=size)
        return frames_to_clip(frames[indices])
