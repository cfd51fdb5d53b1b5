"""Cuts both clips to the shorter one.

Message: should have the shape
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    n = min(content_of.shape[2], motion_of.shape[2])
    content_of, motion_of = content_of[:, :, :n], motion_of[:, :, :n]
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample.clamp(-1, 1)
