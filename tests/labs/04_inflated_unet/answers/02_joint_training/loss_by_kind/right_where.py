"""One weighted mean with torch.where, three times."""


def loss_by_kind(error, is_image, present, image_weight=1.0):
    if error.dim() != 5 or not image_weight >= 0:
        raise ValueError(error.shape)
    if present.shape != is_image.shape or is_image.shape != error[:, 0, :, 0, 0].shape:
        raise ValueError(is_image.shape)
    per_frame = error.float().flatten(3).mean(dim=3).mean(dim=1)
    safe = torch.where(present, per_frame, torch.zeros(()))

    def weighted(weight):
        weight = torch.where(present, weight, torch.zeros(()))
        bottom = weight.sum()
        return (safe * weight).sum() / (bottom if bottom > 0 else 1.0)

    one = torch.ones_like(per_frame)
    return JointLoss(
        weighted(torch.where(is_image, image_weight * one, one)),
        weighted(one * ~is_image),
        weighted(one * is_image),
    )
