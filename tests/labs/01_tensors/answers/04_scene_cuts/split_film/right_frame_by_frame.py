"""Reads one frame at a time by its number.
"""


def split_film(path, cuts, folder):
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for number, (start, stop) in enumerate(ranges):
            pictures = (reader.read([i])[0] for i in range(start, stop))
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{number:03d}.mkv"
            write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times)
            files.append(target)
    return files
