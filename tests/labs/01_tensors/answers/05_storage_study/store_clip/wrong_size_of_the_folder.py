"""Adds up every file in the folder.

Message: all that the folder holds
"""


def store_clip(form: Form, frames: np.ndarray, folder: Path, name: str, clock: Callable = time.perf_counter) -> Stored:
    target = folder / f"{name}{form.suffix}"
    begin = clock()
    form.store(target, frames)
    write_seconds = clock() - begin
    quality = clip_psnr(form.load(target), frames)
    return Stored(form.name, frames.nbytes, sum(file.stat().st_size for file in folder.iterdir()), write_seconds, quality)
