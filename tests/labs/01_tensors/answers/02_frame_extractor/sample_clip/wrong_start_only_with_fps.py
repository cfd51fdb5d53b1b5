"""Ignores `start` when the frames are spread evenly.

Message: without fps too
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        if fps is not None:
            indices = fps_indices(reader.timestamps, fps, num_frames, start)
        else:
            indices = even_indices(len(reader.timestamps), num_frames)
        return frames_to_clip(reader.read(indices, size=size))
