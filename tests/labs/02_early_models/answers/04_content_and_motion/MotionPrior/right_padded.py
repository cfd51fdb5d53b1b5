"""Shifts by an index, and fills a tensor in place."""


class MotionPrior(nn.Module):
    def __init__(self, motion_dim: int, hidden_size: int = 64, num_components: int = 8):
        super().__init__()
        self.start = nn.Parameter(torch.zeros(motion_dim))
        self.rnn = nn.GRU(motion_dim, hidden_size, batch_first=True)
        self.mixture = nn.Linear(hidden_size, num_components * (1 + 2 * motion_dim))
        self.num_components = num_components

    def forward(self, motion):
        clips, dim, num_frames = motion.shape
        padded = torch.cat([self.start[None, :, None].repeat(clips, 1, 1), motion], dim=2)
        before = rearrange(padded[:, :, :num_frames], "b d t -> b t d")
        return self.read_out(self.rnn(before)[0], before)

    def read_out(self, states, before):
        out = rearrange(self.mixture(states), "b t (k n) -> b t k n", k=self.num_components)
        logits, step, log_std = out.split([1, before.shape[-1], before.shape[-1]], dim=-1)
        return Mixture(logits.squeeze(-1), before[:, :, None] + step, log_std.clamp(-5.0, 2.0))

    @torch.no_grad()
    def sample(self, num_clips, num_frames, generator=None):
        codes = self.start.new_zeros(num_clips, len(self.start), num_frames)
        last, memory = (
            self.start.repeat(num_clips, 1)[:, None],
            self.start.new_zeros(1, num_clips, self.rnn.hidden_size),
        )
        for t in range(num_frames):
            hidden, memory = self.rnn(last, memory)
            codes[:, :, t] = self.read_out(hidden, last).sample(generator)[:, :, 0]
            last = codes[:, :, t][:, None]
        return codes
