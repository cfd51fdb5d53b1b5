"""Stores once to warm up and then measures how fast the file is overwritten.

Message: once is enough
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    form.store(path, frames)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))
