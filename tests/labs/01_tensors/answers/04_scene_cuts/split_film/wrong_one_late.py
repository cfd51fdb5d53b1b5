"""Takes the frames one later.

Message: begins with another frame
"""


def split_film(path, cuts, folder):
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for number, (start, stop) in enumerate(ranges):
            pictures = (picture for frames in reader.stream(min(start + 1, len(reader) - 1), min(stop + 1, len(reader))) for picture in frames)
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{number:03d}.mkv"
            write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times[: min(stop + 1, len(reader)) - start - 1])
            files.append(target)
    return files
