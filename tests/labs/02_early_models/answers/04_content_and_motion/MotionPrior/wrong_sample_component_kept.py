"""Draws the component once per clip.

Message: a clip keeps its component
"""


class MotionPrior(nn.Module):
    def __init__(self, motion_dim: int, hidden_size: int = 64, num_components: int = 8):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(motion_dim))
        self.rnn = nn.GRU(motion_dim, hidden_size, batch_first=True)
        self.mixture = nn.Linear(hidden_size, num_components * (1 + 2 * motion_dim))
        self.num_components = num_components

    def forward(self, motion):
        z = motion.transpose(1, 2)
        before = torch.cat([self.start.expand(len(z), 1, -1), z[:, :-1]], dim=1)
        states, _ = self.rnn(before)
        return self.read_out(states, before)

    def read_out(self, states, before):
        out = rearrange(self.mixture(states), "b t (k n) -> b t k n", k=self.num_components)
        logits, step, log_std = out.split([1, before.shape[-1], before.shape[-1]], dim=-1)
        return Mixture(logits.squeeze(-1), before[:, :, None] + step, log_std.clamp(-5.0, 2.0))

    @torch.no_grad()
    def sample(self, num_clips, num_frames, generator=None):
        code, state, codes = self.start.expand(num_clips, 1, -1), None, []
        for _ in range(num_frames):
            out, state = self.rnn(code, state)
            m = self.read_out(out, code)
            if not codes:
                k = torch.multinomial(m.logits[:, 0].softmax(-1), 1, generator=generator)[:, 0]
            i = torch.arange(num_clips)
            e = torch.randn(num_clips, len(self.start), generator=generator, dtype=m.mean.dtype)
            code = (m.mean[i, 0, k] + m.log_std[i, 0, k].exp() * e)[:, None]
            codes.append(code)
        return torch.cat(codes, dim=1).transpose(1, 2)
