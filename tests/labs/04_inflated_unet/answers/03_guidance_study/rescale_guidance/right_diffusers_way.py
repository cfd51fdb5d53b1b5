"""As diffusers writes it: two predictions mixed."""


def rescale_guidance(guided, cond, rescale):
    if tuple(guided.shape) != tuple(cond.shape):
        raise ValueError("shapes differ")
    if rescale < 0 or rescale > 1:
        raise ValueError("rescale is a share")
    dtype = guided.dtype
    wide = torch.float64 if dtype == torch.float64 else torch.float32
    guided, cond = guided.to(wide), cond.to(wide)
    axes = list(range(1, guided.ndim))
    std = guided.std(dim=axes, keepdim=True)
    same = guided.amax(dim=axes, keepdim=True) == guided.amin(dim=axes, keepdim=True)
    ratio = torch.where(same, torch.ones_like(std), cond.std(dim=axes, keepdim=True) / std)
    return (rescale * (guided * ratio) + (1 - rescale) * guided).to(dtype)
