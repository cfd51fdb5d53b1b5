"""Each shot also shows the first frame of the next.

Message: has 7 frames, and its file has 8
"""


def split_film(path, cuts, folder):
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for number, (start, stop) in enumerate(ranges):
            stop = min(stop + 1, len(reader))
            pictures = (picture for frames in reader.stream(start, stop) for picture in frames)
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{number:03d}.mkv"
            write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times)
            files.append(target)
    return files
