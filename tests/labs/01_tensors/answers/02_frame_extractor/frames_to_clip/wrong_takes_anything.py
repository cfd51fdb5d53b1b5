"""Takes whatever comes: a single picture, or frames that are floats already.

Message: should raise ValueError
"""


def frames_to_clip(frames):
    return torch.from_numpy(frames).movedim(-1, 0).float() / 127.5 - 1
