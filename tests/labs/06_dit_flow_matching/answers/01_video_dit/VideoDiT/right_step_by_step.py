"""Flat tokens where it can, caches by number."""


class VideoDiT(Shipped, ModelMixin, ConfigMixin):
    @register_to_config
    def __init__(self, in_channels: int = 16, patch_size: int = 2, dim: int = 256, num_layers: int = 7,
                 num_heads: int = 4, ffn_dim: int = 896, text_dim: int = 384, freq_dim: int = 256,
                 rope_theta: float = 100.0):
        super().__init__()
        self.patches_in = nn.Linear(in_channels * patch_size**2, dim)
        self.text_in = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU(), nn.Linear(dim, dim))
        self.time_in = nn.Sequential(nn.Linear(freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim), nn.SiLU())
        self.to_signal = nn.Linear(dim, NUM_BRANCHES * 3 * dim)
        self.blocks = nn.ModuleList(DiTBlock(dim, num_heads, ffn_dim) for _ in range(num_layers))
        self.to_last_signal = nn.Linear(dim, 2 * dim)
        self.patches_out = nn.Linear(dim, in_channels * patch_size**2)
        for linear in (self.to_signal, self.to_last_signal, self.patches_out):
            nn.init.zeros_(linear.weight), nn.init.zeros_(linear.bias)

    def _mask(self, grid, caches, device):
        past = caches[0].keys.shape[2] if caches else 0
        return frame_causal_mask(grid[0], grid[1] * grid[2], past, device)

    def _check(self, latents, timestep):
        if latents.ndim != 5 or latents.shape[1] != self.config.in_channels:
            raise ValueError(f"got {tuple(latents.shape)}")
        if timestep.shape not in ((len(latents),), (len(latents), latents.shape[2])):
            raise ValueError(f"got {tuple(timestep.shape)}")

    def forward(self, hidden_states, timestep, encoder_hidden_states, encoder_attention_mask=None, caches=None,
                frame_offset=0, is_causal=False, return_dict=True):
        self._check(hidden_states, timestep)
        dtype, (B, C, T, H, W), p = hidden_states.dtype, hidden_states.shape, self.config.patch_size
        h, w = H // p, W // p
        x = self.patches_in(patchify(hidden_states, (1, p, p))).to(dtype).reshape(B, T, h * w, -1)
        text = self.text_in(plain_norm(encoder_hidden_states).to(dtype))
        if timestep.dim() == 1:
            timestep = timestep.unsqueeze(1)
        time = self.time_in(timestep_features(timestep, self.config.freq_dim).to(dtype))
        signal = self.to_signal(time)
        places = rotations((T, h, w), self.config.dim // self.config.num_heads, frame_offset=frame_offset,
                           theta=self.config.rope_theta, device=hidden_states.device)
        mask = self._mask((T, h, w), caches, hidden_states.device) if is_causal else None
        after = []
        for k, block in enumerate(self.blocks):
            x, kept = block(x, signal, text, text_mask=encoder_attention_mask, rotation=places, mask=mask,
                            cache=caches[k] if caches else None)
            after.append(kept)
        shift, scale = self.to_last_signal(time).unsqueeze(2).chunk(2, dim=-1)
        x = self.patches_out((plain_norm(x) * (1 + scale.float()) + shift.float()).to(dtype)).to(dtype)
        sample = unpatchify(x.flatten(1, 2), (1, p, p), (T, H, W))
        return VideoDiTOutput(sample=sample, caches=after) if return_dict else (sample, after)
