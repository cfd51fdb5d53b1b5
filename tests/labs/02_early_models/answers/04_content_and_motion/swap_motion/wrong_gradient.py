"""Forgets no_grad.

Message: carries a gradient
"""


def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample.clamp(-1, 1)
