"""Walks down the tree, and does not go into what it has put there."""


def inflate_unet(unet, conv, attention):
    def walk(module):
        count = 0
        for name, child in list(module.named_children()):
            if isinstance(child, ResnetBlock2D):
                module.add_module(name, conv(child))
                count += 1
            elif isinstance(child, BasicTransformerBlock):
                module.add_module(name, attention(child))
                count += 1
            else:
                count += walk(child)
        return count

    result = copy.deepcopy(unet)
    result.requires_grad_(False)
    if not walk(result):
        raise ValueError("nothing to inflate")
    result.train(unet.training)
    return result
