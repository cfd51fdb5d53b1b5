"""Begins with True everywhere and writes the text's part."""


def joint_mask(text_mask, num_tokens):
    batch, length = text_mask.shape
    mask = torch.ones(batch, 1, 1, num_tokens + length, dtype=torch.bool, device=text_mask.device)
    mask[:, 0, 0, num_tokens:] = text_mask.to(torch.bool)
    return mask
