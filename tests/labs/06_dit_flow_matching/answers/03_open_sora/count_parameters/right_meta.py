"""Builds the model on the device meta and asks it."""


def count_parameters(config):
    with torch.device("meta"):
        return STDiT(**config).num_parameters()
