"""Two steps with torch.lerp and torch.sub."""


def dual_guidance(uncond, image, both, image_scale, text_scale):
    for other in (image, both):
        if other.shape != uncond.shape:
            raise ValueError(f"{tuple(other.shape)} is not {tuple(uncond.shape)}")
    if image_scale < 0:
        raise ValueError(f"image_scale = {image_scale}")
    if text_scale < 0:
        raise ValueError(f"text_scale = {text_scale}")
    return torch.lerp(uncond, image, float(image_scale)) + torch.sub(both, image) * text_scale
