"""Replaces what it takes for a suffix of the name.

Message: should make the file
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = (folder / name).with_suffix(form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))
