"""Clamps on one side.

Message: what lies outside is clamped
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample.clamp(max=1)
