"""Returns the frames as they came from the decoder.

Message: should be float32
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        if fps is not None:
            indices = fps_indices(reader.timestamps, fps, num_frames, start)
        else:
            first = fps_indices(reader.timestamps, 1.0, 1, start)[0]
            indices = [first + i for i in even_indices(len(reader.timestamps) - first, num_frames)]
        return torch.from_numpy(reader.read(indices, size=size))
