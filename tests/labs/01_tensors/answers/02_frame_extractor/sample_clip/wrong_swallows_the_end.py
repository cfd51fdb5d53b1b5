"""Falls back to evenly spread frames when the film is too short for the rate.

Message: past the end
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        first = fps_indices(reader.timestamps, 1.0, 1, start)[0]
        indices = [first + i for i in even_indices(len(reader.timestamps) - first, num_frames)]
        if fps is not None:
            try:
                indices = fps_indices(reader.timestamps, fps, num_frames, start)
            except ValueError:
                pass
        return frames_to_clip(reader.read(indices, size=size))
