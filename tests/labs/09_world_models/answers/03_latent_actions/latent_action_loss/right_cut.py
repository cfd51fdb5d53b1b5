"""The clip is split; the mean squared errors' sizes cancel."""


def latent_action_loss(model, clip, beta=0.25):
    past, following = clip.split([clip.shape[2] - 1, 1], dim=2)
    following = following.squeeze(2)
    z = model.encode(past, following)
    codes, indices = model.quantize(z)
    guess = model.decode(past, codes)
    mse = nn.functional.mse_loss
    missed = mse(guess, following) / mse(past[:, :, -1], following)
    commitment = mse(z, codes.detach()) * z.shape[1]
    return missed + beta * commitment, missed, commitment, z, indices
