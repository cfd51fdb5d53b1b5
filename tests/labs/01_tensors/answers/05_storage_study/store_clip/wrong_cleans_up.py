"""Deletes the file when it is done.

Message: gone again
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    stored = Stored(form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))
    path.unlink()
    return stored
