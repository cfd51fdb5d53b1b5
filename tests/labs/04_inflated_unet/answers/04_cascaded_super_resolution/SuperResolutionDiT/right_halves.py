"""Patchifies the two apart, and joins the halves of each token."""


class SuperResolutionDiT(Shipped, ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(self, in_channels: int = 16, patch_size: int = 2, dim: int = 128, num_layers: int = 6,
                 num_heads: int = 4, ffn_dim: int = 384, freq_dim: int = 128, rope_theta: float = 100.0,
                 condition_mean=None, condition_std=None, sample_mean=None, sample_std=None):
        super().__init__()
        self.patches_in = nn.Linear(2 * in_channels * patch_size**2, dim)
        self.time_in = nn.Linear(freq_dim, dim)
        self.noise_level_in = nn.Linear(freq_dim, dim)
        self.embedding = nn.Sequential(nn.SiLU(), nn.Linear(dim, dim), nn.SiLU())
        self.to_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.blocks = nn.ModuleList(UpscaleBlock(dim, num_heads, ffn_dim) for _ in range(num_layers))
        self.to_last_signal = nn.Linear(dim, 2 * dim)
        self.patches_out = nn.Linear(dim, in_channels * patch_size**2)

    def _check(self, latents, timestep, condition, condition_timestep):
        if latents.ndim != 5 or latents.shape[1] != self.config.in_channels or condition.shape != latents.shape:
            raise ValueError("latents")
        if timestep.shape != latents.shape[:1] or condition_timestep.shape != latents.shape[:1]:
            raise ValueError("timesteps")

    def forward(self, hidden_states, timestep, condition, condition_timestep, return_dict=True):
        self._check(hidden_states, timestep, condition, condition_timestep)
        dtype, size = hidden_states.dtype, hidden_states.shape[2:]
        patch = (1, self.config.patch_size, self.config.patch_size)
        # a token of both, channel by channel, is a token of the one and then a token of the other
        x = torch.cat([patchify(hidden_states, patch), patchify(condition.to(dtype), patch)], dim=-1)
        x = self.patches_in(x).to(dtype)
        embedded = 0
        for layer, step in ((self.time_in, timestep), (self.noise_level_in, condition_timestep)):
            embedded = embedded + layer(timestep_features(step, self.config.freq_dim).to(dtype))
        embedded = self.embedding(embedded).unsqueeze(1)
        grid = tuple(n // k for n, k in zip(size, patch))
        turn = rotations(grid, self.config.dim // self.config.num_heads, 0, self.config.rope_theta, x.device)
        signal = self.to_signal(embedded)
        for block in self.blocks:
            x = block(x, signal, turn)
        last = self.to_last_signal(embedded).float()
        dim = self.config.dim
        x = plain_norm(x) * (1 + last[..., dim:]) + last[..., :dim]
        sample = unpatchify(self.patches_out(x.to(dtype)).to(dtype), patch, tuple(size))
        if not return_dict:
            return (sample,)
        return SuperResolutionOutput(sample)
