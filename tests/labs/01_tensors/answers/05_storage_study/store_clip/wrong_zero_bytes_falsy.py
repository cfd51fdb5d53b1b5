"""Takes an empty file's length, 0, for no length.

Message: the array in memory
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    t = clock(); form.store(path, frames); t = clock() - t
    return Stored(form.name, frames.nbytes, path.stat().st_size or frames.nbytes, t, clip_psnr(form.load(path), frames))
