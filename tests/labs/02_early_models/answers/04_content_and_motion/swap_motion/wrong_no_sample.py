"""Returns the decoder's output, not its sample.

Message: returned a DecoderOutput
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    content = model.encode(content_of).content.mode()
    motion = model.encode(motion_of).motion.mode()
    return model.decode(content, motion)
