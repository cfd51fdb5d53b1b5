"""A plain tuple, sums by torch.sum, norms by torch."""


def latent_action_loss(model, clip, beta=0.25):
    *earlier, target = clip.unbind(dim=2)
    context = torch.stack(earlier, dim=2)
    z = model.encode(context, target)
    codes, numbers = model.quantize(z)
    prediction = model.decode(context, codes)
    error, change = torch.sum((prediction - target) ** 2), torch.sum((target - earlier[-1]) ** 2)
    pull = ((z - codes.detach()) ** 2).sum() / len(z)
    return error / change + beta * pull, error / change, pull, z, numbers
