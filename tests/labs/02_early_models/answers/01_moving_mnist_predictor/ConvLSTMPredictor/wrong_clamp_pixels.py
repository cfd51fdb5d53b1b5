"""Holds what it reads between -0.9 and 0.9.

Message: as_pixels of the expectation before
"""


class ConvLSTMPredictor(Shipped, ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(
        self, in_channels: int = 1, fine_channels: int = 48, coarse_channels: int = 96, feedback_channels: int = 24
    ):
        super().__init__()
        patch = in_channels * 4 * 4
        self.fine = ConvLSTMCell(patch + feedback_channels, fine_channels)
        self.down = nn.Conv2d(4 * fine_channels, coarse_channels, 1)
        self.coarse = ConvLSTMCell(coarse_channels, coarse_channels)
        self.feedback = nn.Conv2d(coarse_channels, 4 * feedback_channels, 1)
        self.up = nn.Conv2d(coarse_channels, 4 * fine_channels, 1)
        self.patches_out = nn.Conv2d(2 * fine_channels, patch, 3, padding=1)
        self.init_weights()

    def init_weights(self) -> None:
        for module in self.modules():
            if isinstance(module, ConvLSTMCell):
                module.init_weights()
        nn.init.constant_(self.patches_out.bias, -3.0)  # sigmoid(-3) = 0.05: as bright as two digits on black

    def step(self, frame: torch.Tensor, state: tuple[State, State] | None = None):
        if frame.ndim != 4 or frame.shape[1] != self.config.in_channels or frame.shape[2] % 8 or frame.shape[3] % 8:
            raise ValueError(
                f"a frame is (B, {self.config.in_channels}, H, W), H and W multiples of 8; got {tuple(frame.shape)}"
            )
        fine, coarse = state or (None, None)
        x = rearrange((frame + 1) / 2, "b c (h ph) (w pw) -> b (c ph pw) h w", ph=4, pw=4)  # (B, 16 C, H/4, W/4)
        if coarse is None:
            seen = x.new_zeros(len(x), self.config.feedback_channels, *x.shape[2:])
        else:
            seen = rearrange(self.feedback(coarse[0]), "b (c ph pw) h w -> b c (h ph) (w pw)", ph=2, pw=2)
        fine = self.fine(torch.cat([x, seen], dim=1), fine)
        x = self.down(rearrange(fine[0], "b c (h ph) (w pw) -> b (c ph pw) h w", ph=2, pw=2))  # (B, K, H/8, W/8)
        coarse = self.coarse(F.silu(x), coarse)
        x = rearrange(self.up(coarse[0]), "b (c ph pw) h w -> b c (h ph) (w pw)", ph=2, pw=2)
        x = self.patches_out(torch.cat([fine[0], x], dim=1))
        logits = rearrange(x, "b (c ph pw) h w -> b c (h ph) (w pw)", ph=4, pw=4)
        return logits, (fine, coarse)

    def forward(self, past, num_future=10, truth=None, probability=0.0, coins=None):
        state, logits = None, []
        for frame in past.unbind(dim=2):
            expected, state = self.step(frame, state)
            logits.append(expected)
        for k in range(num_future - 1):
            frame = as_pixels(expected).clamp(-0.9, 0.9)
            if truth is not None:
                frame = scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])
            expected, state = self.step(frame, state)
            logits.append(expected)
        logits = torch.stack(logits, dim=2)
        return PredictorOutput(sample=as_pixels(logits[:, :, -num_future:]), logits=logits)
