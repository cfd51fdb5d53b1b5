"""Returns what the decoder says.

Message: hold the result in
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample
