"""The frames of a kind are picked out."""


def loss_by_kind(error, is_image, present, image_weight=1.0):
    if error.ndim != 5 or image_weight < 0 or is_image.shape != present.shape:
        raise ValueError("wrong shapes, or a negative weight")
    if tuple(is_image.shape) != (error.shape[0], error.shape[2]):
        raise ValueError("masks are (B, T)")
    rows = error.movedim(2, 1).float()  # (B, T, C, H, W)
    images, clips = rows[present & is_image].mean(dim=(1, 2, 3)), rows[present & ~is_image].mean(dim=(1, 2, 3))
    nothing = rows[present].sum() * 0.0
    mean = lambda values: values.mean() if len(values) else nothing
    weight = len(clips) + image_weight * len(images)
    loss = (clips.sum() + image_weight * images.sum()) / weight if weight > 0 else nothing
    return JointLoss(loss=loss, video=mean(clips), image=mean(images))
