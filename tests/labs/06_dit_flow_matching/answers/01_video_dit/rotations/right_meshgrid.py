"""Places of all tokens by meshgrid, and the complex exponential."""


def rotations(size, head_dim, frame_offset=0, theta=100.0, device=None):
    starts = (frame_offset, 0, 0)
    places = torch.meshgrid(*(torch.arange(n) + a for n, a in zip(size, starts)), indexing="ij")
    angles = []
    for place, dim in zip(places, axis_dims(head_dim)):
        j = torch.arange(dim // 2, dtype=torch.float64)
        angles.append(place.reshape(-1, 1) * theta ** (-2 * j / dim))
    return torch.exp(1j * torch.cat(angles, 1)).to(device=device, dtype=torch.complex64)
