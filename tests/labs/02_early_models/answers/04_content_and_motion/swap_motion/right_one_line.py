"""In one line, with detach."""


def swap_motion(model, content_of, motion_of):
    made = model.decode(model.encode(content_of).content.mode(), model.encode(motion_of).motion.mode()).sample
    return made.detach().clip(min=-1, max=1)
