"""Swin's own way: roll, cut by permute, an additive mask with -inf, roll back."""


def windowed_attention(q, k, v, window, shift=(0, 0, 0)):
    b, h, T, H, W, d = q.shape
    wt, wy, wx = window
    for n, w, s in zip((T, H, W), window, shift):
        if w <= 0 or n % w or s not in range(w):
            raise ValueError("the windows do not fit")
    dims = (2, 3, 4)

    def fold(x):
        x = torch.roll(x, tuple(-s for s in shift), dims)
        x = x.reshape(x.shape[0], x.shape[1], T // wt, wt, H // wy, wy, W // wx, wx, x.shape[-1])
        return x.permute(0, 2, 4, 6, 1, 3, 5, 7, 8).flatten(5, 7).flatten(0, 3)  # (b n) h g d

    label = torch.zeros(T, H, W)
    for axis, (n, w, s) in enumerate(zip((T, H, W), window, shift)):
        place = torch.arange(n)
        piece = torch.where(place < s, 0, (place - s) // w + 1).float() * 1000.0**axis
        label = label + piece.reshape([-1 if k == axis else 1 for k in range(3)])
    label = fold(label[None, None, ..., None].expand(b, 1, T, H, W, 1))[:, 0, :, 0]  # (b n) g
    bias = torch.where(label[:, :, None] == label[:, None], 0.0, float("-inf")).to(q)[:, None]
    out = F.scaled_dot_product_attention(fold(q), fold(k), fold(v), bias)
    out = out.unflatten(0, (b, T // wt, H // wy, W // wx)).unflatten(5, (wt, wy, wx))
    out = out.permute(0, 4, 1, 5, 2, 6, 3, 7, 8).reshape(b, h, T, H, W, d)
    return torch.roll(out, tuple(shift), dims)
