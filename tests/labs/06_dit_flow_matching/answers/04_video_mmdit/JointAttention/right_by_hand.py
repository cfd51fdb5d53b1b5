"""The softmax written out, with minus infinity where nothing may be looked at."""


class JointAttention(nn.Module):
    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        check_heads(dim, num_heads)
        self.video = Stream(dim, num_heads)
        self.text = Stream(dim, num_heads)

    def forward(self, x, text, rotation=None, mask=None):
        qv, kv, vv = self.video(x)
        qt, kt, vt = self.text(text)
        if rotation is not None:
            qv, kv = (rotate(part, rotation) for part in (qv, kv))
        q, k, v = (torch.cat(pair, 1).transpose(1, 2) for pair in ((qv, qt), (kv, kt), (vv, vt)))
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        if mask is not None:
            scores = scores.masked_fill(~mask, float("-inf"))
        out = (scores.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)
        n = x.shape[1]
        return self.video.to_out(out[:, :n]), self.text.to_out(out[:, n:])
