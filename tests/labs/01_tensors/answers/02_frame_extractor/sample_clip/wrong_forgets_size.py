"""Does not pass `size` on.

Message: pass size on
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        if fps is not None:
            indices = fps_indices(reader.timestamps, fps, num_frames, start)
        else:
            first = fps_indices(reader.timestamps, 1.0, 1, start)[0]
            indices = [first + i for i in even_indices(len(reader.timestamps) - first, num_frames)]
        return frames_to_clip(reader.read(indices))
