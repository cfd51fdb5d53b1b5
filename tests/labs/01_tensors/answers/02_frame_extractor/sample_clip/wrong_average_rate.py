"""Makes up timestamps from the average rate.

Message: reader.timestamps
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        times = np.arange(len(reader.timestamps)) / reader.info.fps
        if fps is not None:
            indices = fps_indices(times, fps, num_frames, start)
        else:
            first = fps_indices(times, 1.0, 1, start)[0]
            indices = [first + i for i in even_indices(len(times) - first, num_frames)]
        return frames_to_clip(reader.read(indices, size=size))
