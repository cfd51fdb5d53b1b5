"""Stops the clock after the clip has been read back.

Message: reading back
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    back = form.load(path)
    seconds = clock() - begin
    return Stored(form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(back, frames))
