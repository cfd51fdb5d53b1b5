"""Always spreads the frames evenly.

Message: from 0.5 s
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        first = fps_indices(reader.timestamps, 1.0, 1, start)[0]
        indices = [first + i for i in even_indices(len(reader.timestamps) - first, num_frames)]
        return frames_to_clip(reader.read(indices, size=size))
