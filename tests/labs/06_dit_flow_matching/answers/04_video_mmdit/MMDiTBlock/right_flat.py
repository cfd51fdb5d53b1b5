"""The text as a clip of one frame from beginning to end; the video flat where it can."""


class MMDiTBlock(nn.Module):
    def __init__(self, dim: int, num_heads: int, ffn_dim: int, is_last: bool = False):
        super().__init__()
        self.modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.text_modulation = AdaLNZero(dim, NUM_BRANCHES)
        self.attention = JointAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))
        self.text_ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(), nn.Linear(ffn_dim, dim))
        if is_last:
            self.text_ffn = nn.Identity()
            self.attention.text.to_out = nn.Identity()
        self.is_last = is_last

    def forward(self, x, text, signal, text_signal, rotation=None, mask=None):
        video, words = self.modulation(signal), self.text_modulation(text_signal)
        one = text.unsqueeze(1)
        a, b = self.attention(video[0].enter(x).flatten(1, 2), words[0].enter(one).squeeze(1), rotation, mask)
        x = video[0].leave(x, a.reshape(x.shape))
        x = video[1].leave(x, self.ffn(video[1].enter(x)))
        if not self.is_last:
            one = words[0].leave(one, b.unsqueeze(1))
            one = words[1].leave(one, self.text_ffn(words[1].enter(one)))
        return x, one.squeeze(1)
