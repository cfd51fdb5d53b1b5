"""Another way to say no gradient, and the means themselves."""


def swap_motion(model, content_of, motion_of):
    with torch.no_grad():
        first, second = model.encode(content_of), model.encode(motion_of)
        made = model.decode(content=first.content.mean, motion=second.motion.mean).sample
    return torch.minimum(torch.maximum(made, made.new_tensor(-1.0)), made.new_tensor(1.0))
