"""Takes groups off an iterator."""


@torch.no_grad()
def encode_stream(vae, frames):
    import itertools

    frames, caches, size = iter(frames), None, 1
    while piece := list(itertools.islice(frames, size)):
        if len(piece) < size:
            raise ValueError(f"{len(piece)} frames are left over")
        piece = torch.stack(piece, dim=2)
        latent, caches = vae.encode_chunk(piece, caches)
        size = vae.temporal_compression_ratio
        yield latent.mode()
