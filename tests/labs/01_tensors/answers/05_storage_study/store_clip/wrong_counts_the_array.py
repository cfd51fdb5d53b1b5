"""Takes the array's bytes for the file's.

Message: the array in memory
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.name, frames.nbytes, frames.nbytes, seconds, clip_psnr(form.load(path), frames))
