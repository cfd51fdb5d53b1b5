"""Step by step, with levels for every frame and modulations for the end."""

from common.layers.modulation import Modulation


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
        dtype, p, (_, _, t, h, w) = hidden_states.dtype, self.config.patch_size, hidden_states.shape
        x = self.patches_in(patchify(hidden_states, (1, p, p))).to(dtype).unflatten(1, (t, -1))
        text = self.text_in(plain_norm(encoder_hidden_states).to(dtype))
        time = self.time_in(timestep_features(timestep.reshape(len(x), -1).expand(-1, t), self.config.freq_dim).to(dtype))
        turns = rotations((t, h // p, w // p), self.config.dim // self.config.num_heads, 0, self.config.rope_theta,
                          x.device)
        mask = None
        if encoder_attention_mask is not None:
            mask = joint_mask(encoder_attention_mask, t * (h // p) * (w // p))
        one = self.to_text_signal(time.mean(1)[:, None])
        for block in self.blocks:
            x, text = block(x, text, self.to_signal(time), one, turns, mask)
        last = Modulation(*self.to_last_signal(time)[:, :, None].float().chunk(2, dim=-1), gate=None)
        x = self.patches_out(last.enter(x)).to(dtype).flatten(1, 2)
        sample = unpatchify(x, (1, p, p), (t, h, w))
        return MMVideoDiTOutput(sample) if return_dict else (sample,)
