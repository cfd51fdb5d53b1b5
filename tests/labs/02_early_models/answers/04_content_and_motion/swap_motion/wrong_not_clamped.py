"""Returns what the decoder says.

Message: clamp the result to [-1, 1]
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample
