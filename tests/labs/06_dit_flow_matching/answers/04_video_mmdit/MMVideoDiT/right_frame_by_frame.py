"""Patchifies and puts back one frame after the other; always a mask."""


class MMVideoDiT(Shipped, ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(self, in_channels: int = 16, patch_size: int = 2, dim: int = 192, num_layers: int = 6,
                 num_heads: int = 4, ffn_dim: int = 640, text_dim: int = 384, freq_dim: int = 256,
                 rope_theta: float = 100.0):
        super().__init__()
        self.patches_in = nn.Linear(in_channels * patch_size**2, dim)
        self.text_in = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.time_in = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim), nn.SiLU())
        self.to_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.to_text_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.blocks = nn.ModuleList(
            MMDiTBlock(dim, num_heads, ffn_dim, is_last=number == num_layers - 1) for number in range(num_layers)
        )
        self.to_last_signal = nn.Linear(dim, 2 * dim)
        self.patches_out = nn.Linear(dim, in_channels * patch_size**2)
        for linear in (self.to_signal, self.to_text_signal, self.to_last_signal, self.patches_out):
            nn.init.zeros_(linear.weight), nn.init.zeros_(linear.bias)

    def _check(self, latents, timestep):
        if latents.ndim != 5 or latents.shape[1] != self.config.in_channels:
            raise ValueError(f"got {tuple(latents.shape)}")
        if timestep.shape not in ((len(latents),), (len(latents), latents.shape[2])):
            raise ValueError(f"got {tuple(timestep.shape)}")

    def forward(self, hidden_states, timestep, encoder_hidden_states, encoder_attention_mask=None, return_dict=True):
        self._check(hidden_states, timestep)
        num_frames, p, dtype = hidden_states.shape[2], self.config.patch_size, hidden_states.dtype
        frames = [self.patches_in(patchify(frame, (1, p, p))).to(dtype) for frame in hidden_states.split(1, dim=2)]
        x, words = torch.stack(frames, dim=1), self.text_in(plain_norm(encoder_hidden_states).to(dtype))
        if timestep.ndim < 2:
            timestep = timestep[:, None]
        time = self.time_in(timestep_features(timestep, self.config.freq_dim).to(dtype))
        signals = self.to_signal(time), self.to_text_signal(time.mean(dim=1, keepdim=True))
        grid = num_frames, hidden_states.shape[3] // p, hidden_states.shape[4] // p
        turns = rotations(grid, self.config.dim // self.config.num_heads, theta=self.config.rope_theta,
                          device=x.device)
        everyone = words.new_ones(words.shape[:2], dtype=torch.bool)
        mask = joint_mask(everyone if encoder_attention_mask is None else encoder_attention_mask, x[0, ..., 0].numel())
        streams = x, words
        for block in self.blocks:
            streams = block(*streams, *signals, rotation=turns, mask=mask)
        shift, scale = self.to_last_signal(time).float()[:, :, None].tensor_split(2, dim=-1)
        x = self.patches_out((plain_norm(streams[0]) * (1 + scale) + shift).to(dtype)).to(dtype)
        parts = [unpatchify(x[:, k], (1, p, p), (1, *hidden_states.shape[3:])) for k in range(num_frames)]
        sample = torch.cat(parts, dim=2)
        return MMVideoDiTOutput(sample=sample) if return_dict else (sample,)
