"""Decodes the film once, and hands out a shot at a time.
"""


def split_film(path, cuts, folder):
    import itertools

    reader = VideoReader(path)
    try:
        times = reader.timestamps
        shots = shot_ranges(cuts, len(times))
        Path(folder).mkdir(parents=True, exist_ok=True)
        pictures = itertools.chain.from_iterable(reader.stream(chunk=8))
        files = [Path(folder) / f"shot_{k:03}.mkv" for k in range(len(shots))]
        for file, (a, b) in zip(files, shots):
            shot = itertools.islice(pictures, b - a)
            write(file, shot, reader.info.fps, "ffv1", timestamps=[t - times[a] for t in times[a:b]])
        return files
    finally:
        reader.close()
