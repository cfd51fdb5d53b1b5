"""One picture after the other into zeros."""


def images_as_clips(images, num_frames=1):
    if images.dim() != 4 or images.shape[0] < 1 or num_frames < 1:
        raise ValueError("pictures are (N, C, H, W)")
    count = math.ceil(images.shape[0] / num_frames)
    clips = torch.zeros(count, images.shape[1], num_frames, *images.shape[2:], dtype=images.dtype)
    present = torch.zeros(count, num_frames, dtype=torch.bool)
    for n in range(images.shape[0]):
        clips[n // num_frames, :, n % num_frames] = images[n]
        present[n // num_frames, n % num_frames] = True
    return PackedImages(clips=clips, present=present)
