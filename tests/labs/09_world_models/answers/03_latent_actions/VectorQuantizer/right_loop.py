"""Code by code."""


class VectorQuantizer(nn.Module):
    def __init__(self, num_codes, code_dim, decay=0.98, least=0.1):
        super().__init__()
        self.decay, self.least = decay, least
        self.register_buffer("codebook", torch.randn(num_codes, code_dim))
        self.register_buffer("counts", torch.ones(num_codes))
        self.register_buffer("sums", self.codebook.clone())

    def forward(self, z):
        return vector_quantize(z, self.codebook)

    def update(self, z, indices, candidates):
        z, revived = z.detach(), 0
        for k in range(len(self.counts)):
            mine = z[indices == k]
            self.counts[k] = self.decay * self.counts[k] + (1 - self.decay) * len(mine)
            self.sums[k] = self.decay * self.sums[k] + (1 - self.decay) * mine.sum(dim=0)
            self.codebook[k] = self.sums[k] / self.counts[k]
            if self.counts[k] < self.least and revived < len(candidates):
                self.codebook[k] = self.sums[k] = candidates[revived].detach()
                self.counts[k] = 1
                revived += 1
        return revived
