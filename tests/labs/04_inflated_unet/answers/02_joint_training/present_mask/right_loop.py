"""Frame by frame, in blocks of tokens."""


def present_mask(is_image, present, tokens_per_frame=1):
    if is_image.dim() != 2 or is_image.size() != present.size() or tokens_per_frame < 1:
        raise ValueError("masks are (B, T)")
    batch, frames = is_image.shape
    s = tokens_per_frame
    mask = torch.zeros(batch, 1, frames * s, frames * s, dtype=torch.bool)
    for b in range(batch):
        clip = [t for t in range(frames) if present[b, t] and not is_image[b, t]]
        for i in range(frames):
            for j in {i, *clip} if i in clip else {i}:
                mask[b, 0, i * s : (i + 1) * s, j * s : (j + 1) * s] = True
    return mask
