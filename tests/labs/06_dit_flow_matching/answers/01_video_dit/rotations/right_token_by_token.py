"""Three loops, and real arithmetic until the end."""


def rotations(size, head_dim, frame_offset=0, theta=100.0, device=None):
    dims, T, H, W = axis_dims(head_dim), *size
    rows = []
    for t in range(T):
        for h in range(H):
            for w in range(W):
                at = (t + frame_offset, h, w)
                rows.append([m / theta ** (j / n) for m, n in zip(at, dims) for j in range(0, n, 2)])
    angle = torch.tensor(rows, dtype=torch.float64)
    return torch.complex(angle.cos(), angle.sin()).to(torch.complex64).to(device)
