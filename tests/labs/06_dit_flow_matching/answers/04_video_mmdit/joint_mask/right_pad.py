"""Pads the text's mask with True on the left."""


def joint_mask(text_mask, num_tokens):
    return torch.nn.functional.pad(text_mask != 0, (num_tokens, 0), value=True).reshape(len(text_mask), 1, 1, -1)
