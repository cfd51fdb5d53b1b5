"""Each frame has an owner; equal owners see each other."""


def present_mask(is_image, present, tokens_per_frame=1):
    if is_image.ndim != 2 or is_image.shape != present.shape or tokens_per_frame <= 0:
        raise ValueError((is_image.shape, present.shape, tokens_per_frame))
    number = torch.arange(1, is_image.shape[1] + 1).expand(is_image.shape)
    owner = torch.where(present & ~is_image, torch.zeros_like(number), number)  # the clip is 0, all others are alone
    owner = torch.repeat_interleave(owner, tokens_per_frame, dim=1)
    return rearrange(owner, "b i -> b 1 i 1") == rearrange(owner, "b j -> b 1 1 j")
