"""Hands the codes to the decoder in the wrong order.

Message: decode takes content (B, Dc)
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(motion, content).sample.clamp(-1, 1)
