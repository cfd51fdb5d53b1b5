"""Stops one frame early.

Message: has 7 frames, and its file has 6
"""


def split_film(path, cuts, folder):
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for number, (start, stop) in enumerate(ranges):
            pictures = (picture for frames in reader.stream(start, stop - 1) for picture in frames)
            times = reader.timestamps[start : stop - 1] - reader.timestamps[start]
            target = folder / f"shot_{number:03d}.mkv"
            write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times)
            files.append(target)
    return files
