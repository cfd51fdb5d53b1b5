"""Gives milliseconds.

Message: that is in milliseconds
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.name, frames.nbytes, path.stat().st_size, 1000 * seconds, clip_psnr(form.load(path), frames))
