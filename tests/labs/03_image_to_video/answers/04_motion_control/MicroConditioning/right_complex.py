"""The real and the imaginary part of complex exponentials."""


class MicroConditioning(nn.Module):
    def __init__(self, num_ids: int, dim: int, embed_dim: int):
        super().__init__()
        self.num_ids, self.dim = num_ids, dim
        self.linear_1, self.linear_2 = nn.Linear(num_ids * dim, embed_dim), nn.Linear(embed_dim, embed_dim)
        nn.init.zeros_(self.linear_2.weight)
        nn.init.zeros_(self.linear_2.bias)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        if tuple(ids.shape[1:]) != (self.num_ids,):
            raise ValueError("another number of numbers")
        n = self.dim // 2
        speeds = 10_000.0 ** (-torch.arange(n, dtype=torch.float32) / n)
        turns = torch.polar(torch.ones(len(ids), self.num_ids, n), ids.float().unsqueeze(-1) * speeds)
        waves = torch.view_as_real(turns).transpose(-1, -2).reshape(len(ids), -1)
        hidden = self.linear_1(waves.type(self.linear_1.weight.dtype))
        return self.linear_2(hidden * torch.sigmoid(hidden))
