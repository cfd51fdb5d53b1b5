"""A weighted sum of the three: the weights add up to 1."""


def dual_guidance(uncond, image, both, image_scale, text_scale):
    if len({uncond.shape, image.shape, both.shape}) != 1:
        raise ValueError("the predictions have different shapes")
    if min(image_scale, text_scale) < 0:
        raise ValueError("strengths begin at 0")
    return (1 - image_scale) * uncond + (image_scale - text_scale) * image + text_scale * both
