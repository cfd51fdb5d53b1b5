"""Counts four bytes a value, as after a conversion to float32.

Message: one byte per value
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.name, 4 * frames.size, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))
