"""The loss of joint training on images and videos, and what of it is due to each kind."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class JointLoss:
    """Scalars in float32.

    Attributes:
        loss: what is minimised.
        video: the mean over frames of clips.
        image: the mean over pictures.
    """

    loss: torch.Tensor
    video: torch.Tensor
    image: torch.Tensor


def loss_by_kind(
    error: torch.Tensor, is_image: torch.Tensor, present: torch.Tensor, image_weight: float = 1.0
) -> JointLoss:
    """The mean of a squared error over the frames of a batch, and apart, the means of clips and of pictures.

    A frame's error is the mean over its channels, rows and columns. The loss is the weighted mean over all present
    frames: the sum of w · error over the sum of w, where w is 1 for a frame of a clip, and `image_weight` for a
    picture. What is not present counts nowhere, not even if its error is infinite or not a number.

    Args:
        error: squared error `(B, C, T, H, W)`.
        is_image: bool `(B, T)`, True for a frame that is a picture by itself.
        present: bool `(B, T)`, False for a place that nothing fills.
        image_weight: at least 0.

    Returns:
        Loss and means in float32, whatever the dtype of the error. The mean of a kind that is not there is 0, and so is
        the loss if no frame has a weight. Gradients flow from each of the three.

    Raises:
        ValueError: the error does not have five axes, the two masks do not fit it, or the weight is negative.
    """
    if error.ndim != 5 or not image_weight >= 0:
        raise ValueError(f"errors are (B, C, T, H, W), weights not negative; got {tuple(error.shape)}, {image_weight}")
    if is_image.shape != present.shape or is_image.shape != (error.shape[0], error.shape[2]):
        raise ValueError(
            f"is_image and present are (B, T) beside errors {tuple(error.shape)}, got {tuple(is_image.shape)} and "
            f"{tuple(present.shape)}"
        )

    def mean(values: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        total = weights.sum()
        return (values * weights).sum() / torch.where(total > 0, total, 1.0)

    frames = error.float().mean(dim=(1, 3, 4)).masked_fill(~present, 0.0)  # (B, T)
    images, videos = (present & is_image).float(), (present & ~is_image).float()
    weights = videos + image_weight * images
    return JointLoss(loss=mean(frames, weights), video=mean(frames, videos), image=mean(frames, images))
