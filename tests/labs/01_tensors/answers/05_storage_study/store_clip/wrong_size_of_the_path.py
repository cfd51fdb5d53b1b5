"""Asks Python how large the path object is.

Message: the file on disk
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    import sys

    return Stored(form.name, frames.nbytes, sys.getsizeof(path), seconds, clip_psnr(form.load(path), frames))
