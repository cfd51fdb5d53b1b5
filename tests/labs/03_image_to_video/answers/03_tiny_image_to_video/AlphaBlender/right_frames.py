"""One frame after the other."""


class AlphaBlender(nn.Module):
    def __init__(self, mix_factor: float = 0.5):
        super().__init__()
        self.mix_factor = nn.Parameter(torch.tensor([mix_factor]))

    def forward(self, spatial, temporal, image_only_indicator=None):
        alpha = 1 / (1 + torch.exp(-self.mix_factor[0]))
        clips = []
        for b in range(spatial.shape[0]):
            frames = []
            for t in range(spatial.shape[1]):
                if image_only_indicator is not None and image_only_indicator[b, t]:
                    frames.append(spatial[b, t])
                else:
                    frames.append((alpha * spatial[b, t] + (1 - alpha) * temporal[b, t]).to(spatial.dtype))
            clips.append(torch.stack(frames))
        return torch.stack(clips)
