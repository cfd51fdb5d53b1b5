"""Names the form after its suffix.

Message: the form's name
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    return Stored(form.suffix, frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))
