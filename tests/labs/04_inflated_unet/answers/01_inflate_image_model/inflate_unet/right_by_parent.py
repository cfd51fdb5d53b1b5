"""Adds the new module to each block's parent under the same name."""


def inflate_unet(unet, conv, attention):
    found = copy.deepcopy(unet)
    for parameter in found.parameters():
        parameter.requires_grad = False
    todo = [name for name, m in found.named_modules() if isinstance(m, ResnetBlock2D) or isinstance(m, BasicTransformerBlock)]
    if len(todo) == 0:
        raise ValueError("no blocks here")
    for name in todo:
        parent, _, last = name.rpartition(".")
        old = found.get_submodule(name)
        found.get_submodule(parent).add_module(last, conv(old) if isinstance(old, ResnetBlock2D) else attention(old))
    return found.train() if unet.training else found.eval()
