"""By os.path, and with the result's fields named."""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    import os

    path = os.path.join(folder, name + form.suffix)
    before = clock()
    form.store(path, frames)
    after = clock()
    restored = form.load(path)
    return Stored(
        form=form.name,
        raw_bytes=frames.size,
        num_bytes=os.path.getsize(path),
        write_seconds=after - before,
        psnr=clip_psnr(restored, frames),
    )
