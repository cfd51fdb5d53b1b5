"""Gives a dict.

Message: without the attribute
"""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    path = folder / (name + form.suffix)
    begin = clock()
    form.store(path, frames)
    seconds = clock() - begin
    quality = clip_psnr(form.load(path), frames)
    return dict(
        form=form.name, raw_bytes=frames.nbytes, num_bytes=path.stat().st_size, write_seconds=seconds, psnr=quality
    )
