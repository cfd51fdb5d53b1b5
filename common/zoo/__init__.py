"""Weights that ship with the library, each in a folder of its own: weights, config, recipe, and a card."""

from common.zoo.shelf import ZooError, folder, from_pretrained, has_weights, names, weights_folder

__all__ = ["ZooError", "folder", "from_pretrained", "has_weights", "names", "weights_folder"]
