"""Uses a clock of its own.

Message: never read
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = time.perf_counter()
    form.store(path, frames)
    seconds = time.perf_counter() - begin
    return Stored(form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))
