"""Encodes one clip and takes both codes from it.

Message: nothing is swapped
"""


@torch.no_grad()
def swap_motion(model, content_of, motion_of):
    codes = model.encode(content_of)
    return model.decode(codes.content.mode(), codes.motion.mode()).sample.clamp(-1, 1)
