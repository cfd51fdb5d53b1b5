"""Draws the codes.

Message: mode()
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.sample()
    motion = model.encode(motion_of).motion.sample()
    return model.decode(content, motion).sample.clamp(-1, 1)
