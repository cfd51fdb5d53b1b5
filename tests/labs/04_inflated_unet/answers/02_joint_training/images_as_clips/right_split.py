"""Pieces of T pictures, the last one filled up."""


def images_as_clips(images, num_frames=1):
    if images.ndim != 4 or images.size(0) == 0 or num_frames <= 0:
        raise ValueError(images.shape)
    pieces = []
    for piece in images.split(num_frames):
        short = num_frames - len(piece)
        pieces.append(torch.cat([piece, images.new_zeros(short, *images.shape[1:])]).transpose(0, 1))
    places = torch.zeros(len(pieces) * num_frames, dtype=torch.bool)
    places[: len(images)] = True
    return PackedImages(torch.stack(pieces), places.view(len(pieces), num_frames))
