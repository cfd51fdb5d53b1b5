"""Shifts the timestamps instead of the indices, and converts by hand.
"""


def sample_clip(path, num_frames, *, fps=None, start=0.0, size=None):
    with VideoReader(path) as reader:
        if start < 0:
            raise ValueError(f"start={start} is before the film begins")
        if fps is None:
            times = reader.timestamps
            if start >= times[-1] + (times[-1] - times[-2]):
                raise ValueError(f"start={start} lies past the end of the film")
            shown = [i for i, begin in enumerate(times) if begin <= start + 1e-6][-1]
            candidates = list(range(shown, len(reader.timestamps)))
            indices = [candidates[i] for i in even_indices(len(candidates), num_frames)]
        else:
            indices = fps_indices(list(reader.timestamps), fps, num_frames, start)
        frames = torch.from_numpy(reader.read(indices, size=size))
    return (frames.permute(3, 0, 1, 2).contiguous().float() - 127.5) / 127.5
