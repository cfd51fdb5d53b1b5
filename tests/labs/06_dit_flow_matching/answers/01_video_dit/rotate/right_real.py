"""Cosines and sines, without complex numbers."""


def rotate(x, rotation):
    a, b = x.float()[..., 0::2], x.float()[..., 1::2]
    cos, sin = rotation.real[:, None], rotation.imag[:, None]
    return torch.stack((a * cos - b * sin, b * cos + a * sin), dim=-1).reshape(x.shape).to(x.dtype)
