"""Seven axes by reshape, then permute."""


def patchify(clip, patch_size):
    if clip.dim() != 5:
        raise ValueError("five axes, please")
    (b, c, t, h, w), (pt, ph, pw) = clip.shape, patch_size
    if min(patch_size) < 1 or t % pt or h % ph or w % pw:
        raise ValueError("the patches do not tile the clip")
    blocks = clip.reshape(b, c, t // pt, pt, h // ph, ph, w // pw, pw)
    return blocks.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(b, -1, c * pt * ph * pw)
