"""The factors written out; frames first from the start."""


def svd_denoise(model, x, sigma, picture, states, time_ids):
    batch, channels, frames, height, width = x.shape
    if tuple(sigma.shape) != (batch,) or tuple(picture.shape) != (batch, channels, height, width):
        raise ValueError("sizes do not fit")
    level = sigma.reshape(batch, 1, 1, 1, 1)
    s = torch.sqrt(level * level + 1)
    x = x.transpose(1, 2)
    beside = picture.unsqueeze(1).expand(batch, frames, channels, height, width)
    v = model(torch.cat((x / s, beside), 2), torch.log(sigma) / 4, states, time_ids).sample
    return (x / s**2 - level / s * v).transpose(1, 2)
