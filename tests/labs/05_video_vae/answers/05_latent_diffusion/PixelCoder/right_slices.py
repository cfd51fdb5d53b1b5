"""Every p-th pixel, once for each place inside a patch."""


@dataclass(frozen=True)
class PixelCoder:
    patch_size: int = 8

    def encode(self, clips):
        p = self.patch_size
        if any(size % p for size in clips.shape[-2:]):
            raise ValueError("the patches do not fit")
        return torch.stack(
            [clips[:, c, :, i::p, j::p] for c in range(3) for i in range(p) for j in range(p)], dim=1
        )

    def decode(self, latents):
        p = self.patch_size
        b, _, t, h, w = latents.shape
        clips = latents.new_empty(b, 3, t, h * p, w * p)
        for k, pixels in enumerate(latents.unbind(1)):
            c, inside = divmod(k, p * p)
            clips[:, c, :, inside // p :: p, inside % p :: p] = pixels
        return clips
