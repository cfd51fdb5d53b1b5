"""transpose and flatten in place of rearrange; a temporal block is a spatial one with two axes swapped."""


class STDiTBlock(nn.Module):
    def __init__(self, dim, num_heads, ffn_dim, temporal=False):
        super().__init__()
        self.temporal = temporal
        self.table = nn.Parameter(torch.zeros(NUM_MODULATIONS, dim))
        self.attention = FactoredAttention(dim, num_heads)
        self.cross_attention = PlainCrossAttention(dim, num_heads)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn_dim), nn.GELU(approximate="tanh"), nn.Linear(ffn_dim, dim))

    def forward(self, x, signal, text, text_mask=None, rotation=None, noisy=None, clean_signal=None):
        six = (signal + self.table).unsqueeze(1).expand(-1, x.shape[1], -1, -1)
        if noisy is not None:
            six = torch.where(noisy.unsqueeze(-1).unsqueeze(-1), six, (clean_signal + self.table).unsqueeze(1))
        six = [six[:, :, k].unsqueeze(2) for k in range(6)]
        h = torch.addcmul(six[0], plain_norm(x), 1 + six[1]).to(x.dtype)
        if self.temporal:
            h = h.transpose(1, 2)
        out = self.attention(h.flatten(0, 1), rotation if self.temporal else None).unflatten(0, h.shape[:2])
        if self.temporal:
            out = out.transpose(1, 2)
        x = x + (six[2] * out).to(x.dtype)
        x = x + self.cross_attention(x.flatten(1, 2), text, text_mask).reshape(x.shape)
        h = torch.addcmul(six[3], plain_norm(x), 1 + six[4]).to(x.dtype)
        return x + (six[5] * self.ffn(h)).to(x.dtype)
