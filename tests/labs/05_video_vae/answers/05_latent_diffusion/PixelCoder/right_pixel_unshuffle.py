"""torch's pixel_unshuffle of each frame has the very same order; it wants its input in one piece."""


@dataclass(frozen=True)
class PixelCoder:
    patch_size: int = 8

    def encode(self, clips):
        if clips.shape[3] % self.patch_size != 0 or clips.shape[4] % self.patch_size != 0:
            raise ValueError(f"{self.patch_size} does not divide {clips.shape}")
        frames = torch.nn.functional.pixel_unshuffle(clips.movedim(2, 1).contiguous(), self.patch_size)
        return frames.movedim(1, 2)

    def decode(self, latents):
        return torch.nn.functional.pixel_shuffle(latents.movedim(2, 1).contiguous(), self.patch_size).movedim(1, 2)
