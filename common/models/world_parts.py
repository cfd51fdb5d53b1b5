"""A world model with other blocks and another action embedding in it: the same weights, someone's own code."""

from torch import nn

from common.models.world_unet import ActionEmbedding, FiLMBlock, WorldUNet


def use_parts(model: WorldUNet, block: type[nn.Module], embedding: type[nn.Module]) -> WorldUNet:
    """Rebuild every residual block and the action embedding of a model from other classes, with the same weights.

    Args:
        model: is changed.
        block: made and called like `FiLMBlock`, with the same parameters.
        embedding: made and called like `ActionEmbedding`, likewise.

    Returns:
        The model.

    Raises:
        RuntimeError: the parameters have other names or shapes.
    """
    for parent in list(model.modules()):
        for name, part in list(parent.named_children()):
            if isinstance(part, FiLMBlock):
                own = block(part.first.in_channels, part.first.out_channels, part.film.in_features)
            elif isinstance(part, ActionEmbedding):
                own = embedding(part.null, part.context, part.table.embedding_dim)
            else:
                continue
            own.load_state_dict(part.state_dict())
            setattr(parent, name, own.train(part.training))
    return model
