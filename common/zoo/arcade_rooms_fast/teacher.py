"""The teacher of `arcade-rooms-fast`."""

from functools import cache

from common.models.world_unet import WorldUNet

TEACHER, TEACHER_STEPS = "arcade-rooms", 8  # steps behind a door


@cache
def load_teacher() -> WorldUNet:
    """`arcade-rooms`, frozen."""
    return WorldUNet.from_pretrained(TEACHER).eval().requires_grad_(False)
