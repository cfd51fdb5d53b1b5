"""Gradients are off only around each encoding; the block is closed before the yield."""


def encode_stream(vae, frames):
    piece, caches = None, None
    for frame in frames:
        frame = frame.unsqueeze(2)
        piece = frame if piece is None else torch.cat([piece, frame], dim=2)
        if caches is not None and piece.shape[2] < vae.temporal_compression_ratio:
            continue
        with torch.no_grad():
            dist, caches = vae.encode_chunk(piece, caches)
            latent = dist.mode()
        piece = None
        yield latent
    if piece is not None:
        raise ValueError("a group is not complete")
