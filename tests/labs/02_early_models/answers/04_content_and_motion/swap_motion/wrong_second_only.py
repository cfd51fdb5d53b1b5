"""Encodes the second clip twice.

Message: both those of motion_of
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content_of = motion_of
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample.clamp(-1, 1)
