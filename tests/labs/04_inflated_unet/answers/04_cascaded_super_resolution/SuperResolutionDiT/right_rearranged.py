"""Rearranges by hand."""


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
        p, dtype, (_, _, t, height, width) = self.config.patch_size, hidden_states.dtype, hidden_states.shape
        both = torch.cat((hidden_states, condition.to(dtype)), dim=1)
        tokens = rearrange(both, "b c t (h p) (w q) -> b (t h w) (c p q)", p=p, q=p)
        x = self.patches_in(tokens).to(dtype)
        steps = torch.stack([timestep, condition_timestep])
        first, second = timestep_features(steps, self.config.freq_dim).to(dtype)
        time = self.embedding(self.time_in(first) + self.noise_level_in(second))[:, None]
        head = self.config.dim // self.config.num_heads
        rotation = rotations((t, height // p, width // p), head, theta=self.config.rope_theta, device=x.device)
        for block in self.blocks:
            x = block(x, self.to_signal(time), rotation)
        shift, scale = self.to_last_signal(time).float().chunk(2, dim=-1)
        x = (plain_norm(x) * (1 + scale) + shift).to(dtype)
        out = self.patches_out(x).to(dtype)
        sample = rearrange(out, "b (t h w) (c p q) -> b c t (h p) (w q)", t=t, h=height // p, p=p, q=p)
        return SuperResolutionOutput(sample=sample) if return_dict else (sample,)
