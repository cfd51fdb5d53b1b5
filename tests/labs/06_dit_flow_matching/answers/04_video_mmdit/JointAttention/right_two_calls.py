"""The queries of each stream attend by themselves, to the keys of both."""


class JointAttention(nn.Module):
    def __init__(self, dim: int, num_heads: int):
        super().__init__()
        check_heads(dim, num_heads)
        self.video = Stream(dim, num_heads)
        self.text = Stream(dim, num_heads)

    def forward(self, x, text, rotation=None, mask=None):
        (q, k, v), (q_text, k_text, v_text) = self.video(x), self.text(text)
        if rotation is not None:
            q, k = rotate(q, rotation), rotate(k, rotation)
        seen = KeyValues(k.movedim(2, 1), v.movedim(2, 1)).then(KeyValues(k_text.movedim(2, 1), v_text.movedim(2, 1)))
        rows = None, None
        if mask is not None:
            whole = mask.expand(*mask.shape[:2], x.shape[1] + text.shape[1], -1)
            rows = whole[:, :, : x.shape[1]], whole[:, :, x.shape[1] :]
        return self.video.to_out(attend(q, seen, rows[0])), self.text.to_out(attend(q_text, seen, rows[1]))
