"""A small function of its own for the timing."""


def store_clip(form, frames, folder, name, clock=time.perf_counter):
    def timed(run):
        start = clock()
        run()
        return clock() - start

    target = folder / (name + form.suffix)
    seconds = timed(lambda: form.store(target, frames))
    restored = form.load(target)
    return Stored(form.name, frames.size * frames.itemsize, target.stat().st_size, seconds, clip_psnr(restored, frames))
