"""index_add for the sums, a loop over the dead."""


class VectorQuantizer(nn.Module):
    def __init__(self, num_codes, code_dim, decay=0.98, least=0.1):
        super().__init__()
        self.decay, self.least = decay, least
        self.register_buffer("codebook", torch.randn(num_codes, code_dim))
        self.register_buffer("counts", torch.ones(num_codes))
        self.register_buffer("sums", self.codebook.clone())

    def forward(self, z):
        return vector_quantize(z, self.codebook)

    @torch.no_grad()
    def update(self, z, indices, candidates):
        gamma = self.decay
        n = torch.bincount(indices, minlength=len(self.counts))
        s = torch.zeros_like(self.sums).index_add(0, indices, z)
        self.counts.mul_(gamma).add_((1 - gamma) * n)
        self.sums.mul_(gamma).add_((1 - gamma) * s)
        self.codebook[:] = self.sums / self.counts.unsqueeze(1)
        dead = [k for k, count in enumerate(self.counts) if count < self.least]
        used = list(zip(dead, candidates))
        for k, vector in used:
            self.codebook[k], self.sums[k], self.counts[k] = vector, vector, 1.0
        return len(used)
