"""Patchifies and puts back one frame after the other."""


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
        num_frames, p, dtype = hidden_states.shape[2], self.config.patch_size, hidden_states.dtype
        frames = [self.patches_in(patchify(frame, (1, p, p))).to(dtype) for frame in hidden_states.split(1, dim=2)]
        x = torch.stack(frames, dim=1)
        grid = num_frames, hidden_states.shape[3] // p, hidden_states.shape[4] // p
        text = self.text_in(plain_norm(encoder_hidden_states).to(dtype))
        levels = timestep.reshape(len(timestep), -1).expand(-1, num_frames)
        time = self.time_in(timestep_features(levels, self.config.freq_dim).to(dtype))
        head_dim = self.config.dim // self.config.num_heads
        turn = rotations(grid, head_dim, frame_offset, self.config.rope_theta, hidden_states.device)
        mask, new = (self._mask(grid, caches, x.device) if is_causal else None), []
        for block, cache in zip(self.blocks, caches or len(self.blocks) * [None]):
            x, cache = block(x, self.to_signal(time), text, encoder_attention_mask, turn, mask, cache)
            new += [cache]
        last = Modulation(*self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1), gate=None)
        x = self.patches_out(last.enter(x)).to(dtype)
        parts = [unpatchify(x[:, t], (1, p, p), (1, *hidden_states.shape[3:])) for t in range(num_frames)]
        sample = torch.cat(parts, dim=2)
        return VideoDiTOutput(sample, new) if return_dict else (sample, new)
