"""An iterator with a state, instead of a generator."""


class _Stream:
    def __init__(self, vae, frames):
        self.vae, self.frames, self.caches = vae, iter(frames), None

    def __iter__(self):
        return self

    @torch.inference_mode(False)
    @torch.no_grad()
    def __next__(self):
        needed = 1 if self.caches is None else self.vae.temporal_compression_ratio
        group = [next(self.frames)]
        for _ in range(needed - 1):
            frame = next(self.frames, None)
            if frame is None:
                raise ValueError("the stream ended in the middle")
            group.append(frame)
        dist, self.caches = self.vae.encode_chunk(torch.stack(group, 2), self.caches)
        return dist.mode()


def encode_stream(vae, frames):
    return _Stream(vae, frames)
