"""Writes shot after shot until a cut does not fit.

Message: ValueError
"""


def split_film(path, cuts, folder):
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = list(zip([0, *cuts], [*cuts, len(reader)]))
        folder.mkdir(parents=True, exist_ok=True)
        for number, (start, stop) in enumerate(ranges):
            pictures = (picture for frames in reader.stream(start, stop) for picture in frames)
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{number:03d}.mkv"
            write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times)
            files.append(target)
    return files
