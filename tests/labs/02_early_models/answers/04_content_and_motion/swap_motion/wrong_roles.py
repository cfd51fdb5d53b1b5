"""Takes the content from the second clip.

Message: the roles are swapped
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(motion_of).content.mode()
    motion = model.encode(content_of).motion.mode()
    return model.decode(content, motion).sample.clamp(-1, 1)
