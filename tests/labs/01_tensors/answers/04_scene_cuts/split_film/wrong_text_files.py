"""Returns text instead of paths.

Message: not a Path
"""


def split_film(path, cuts: Iterable[int], folder) -> list[Path]:
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for start, stop in ranges:
            pictures = (picture for frames in reader.stream(start, stop) for picture in frames)
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{len(files):03}.mkv"
            files.append(str(write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times)))
    return files
