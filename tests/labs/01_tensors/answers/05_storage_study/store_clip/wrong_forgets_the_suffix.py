"""Leaves the suffix away.

Message: should make the file
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / name
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))
