"""Number by number, stacked at the end."""


class MicroConditioning(nn.Module):
    def __init__(self, num_ids: int, dim: int, embed_dim: int):
        super().__init__()
        self.num_ids, self.dim = num_ids, dim
        self.linear_1, self.linear_2 = nn.Linear(num_ids * dim, embed_dim), nn.Linear(embed_dim, embed_dim)
        nn.init.zeros_(self.linear_2.weight)
        nn.init.zeros_(self.linear_2.bias)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if ids.dim() != 2 or ids.size(1) != self.num_ids:
            raise ValueError("ids are (B, K)")
        parts = []
        for number in ids.float().unbind(1):
            angles = torch.stack([number / 10_000 ** (2 * k / self.dim) for k in range(self.dim // 2)], dim=1)
            parts += [torch.cos(angles), torch.sin(angles)]
        waves = torch.cat(parts, dim=1).to(self.linear_2.weight.dtype)
        return self.linear_2(nn.SiLU()(self.linear_1(waves)))
