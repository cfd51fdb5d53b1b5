"""All gaps are halved at once, as one batch."""


class SkippedFrames:
    def __init__(self, vae, between, num_halvings=2):
        self.vae, self.between, self.num_halvings = vae, between, num_halvings

    @property
    def stride(self):
        return 2**self.num_halvings

    def encode(self, clips):
        stride = self.stride
        if clips.shape[2] % stride != 1 and stride > 1:
            raise ValueError("the last frame would be lost")
        return torch.cat([encode_frames(self.vae, clips[:, :, k : k + 1]) for k in range(0, clips.shape[2], stride)], 2)

    def decode(self, latents):
        clip = decode_frames(self.vae, latents)
        for _ in range(self.num_halvings):
            a, b = clip[:, :, :-1], clip[:, :, 1:]
            if not a.shape[2]:
                break
            middle = self.between(rearrange(a, "b c t h w -> (b t) c h w"), rearrange(b, "b c t h w -> (b t) c h w"))
            middle = rearrange(middle, "(b t) c h w -> b c t h w", b=len(clip))
            pairs = torch.stack([a, middle], dim=3)
            clip = torch.cat([rearrange(pairs, "b c t two h w -> b c (t two) h w"), clip[:, :, -1:]], dim=2)
        return clip
