"""Cuts the content's clip to the length of the motion's.

Message: cut off
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content_of = content_of[:, :, : motion_of.shape[2]]
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion).sample.clamp(-1, 1)
