"""Returns whatever lies in the folder.

Message: 0 cuts make 1 files, not 2
"""


def split_film(path, cuts: Iterable[int], folder) -> list[Path]:
    """Writes each shot of a film to a file of its own, without loss: read back, its frames are the film's to the bit.

    The files are `shot_000.mkv`, `shot_001.mkv`, ... in FFV1, which keeps every byte and takes its room for it: about
    3 MB for a second of 640x360. Each shot's first frame appears at 0.0 s, the others as far behind it as in the film.
    Only a few frames are in memory at a time, however long a shot is.

    Args:
        path: A video file.
        cuts: Numbers of the frames at which a new shot begins (`detect_cuts`); see `shot_ranges`.
        folder: Where to; made if it is not there.

    Returns:
        The files, in the order of the film.

    Raises:
        ValueError: the cuts do not fit the film.
        VideoError: the film cannot be read, or a file cannot be written (a kind of ValueError).
    """
    folder = Path(folder)
    files = []
    with VideoReader(path) as reader:
        ranges = shot_ranges(cuts, len(reader))
        folder.mkdir(parents=True, exist_ok=True)
        for start, stop in ranges:
            pictures = (picture for frames in reader.stream(start, stop) for picture in frames)
            times = reader.timestamps[start:stop] - reader.timestamps[start]
            target = folder / f"shot_{len(files):03}.mkv"
            files.append(write(target, pictures, reader.info.fps, codec="ffv1", timestamps=times))
    return sorted(folder.iterdir())
