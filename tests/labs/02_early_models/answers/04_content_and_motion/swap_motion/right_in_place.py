"""Clamps in place."""


@torch.inference_mode()
def swap_motion(model, content_of, motion_of):
    what, where = model.encode(content_of).content, model.encode(motion_of).motion
    return model.decode(what.mode(), where.mode()).sample.clamp_(-1, 1)
