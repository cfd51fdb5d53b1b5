"""Scales by the largest value.

Message: as it is
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    made = model.decode(content, motion).sample
    return made / made.abs().max()
