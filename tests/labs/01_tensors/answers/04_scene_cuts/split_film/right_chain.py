"""Chains the pieces of the stream.
"""


def split_film(path, cuts, folder):
    import itertools

    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for number, (start, stop) in enumerate(ranges):
            pictures = itertools.chain.from_iterable(reader.stream(start, stop))
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{number:03d}.mkv"
            write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times)
            files.append(target)
    return files
