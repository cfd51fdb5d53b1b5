"""Lerps everything, and takes pictures by themselves as they were."""


class AlphaBlender(nn.Module):
    def __init__(self, mix_factor: float = 0.5):
        super().__init__()
        self.mix_factor = nn.Parameter(torch.tensor([mix_factor]))

    def forward(self, spatial, temporal, image_only_indicator=None):
        b, t = spatial.shape[:2]
        weight = torch.sigmoid(self.mix_factor).to(spatial.dtype)
        mixed = torch.lerp(temporal, spatial, weight)
        if image_only_indicator is None:
            return mixed
        alone = (image_only_indicator != 0).view(b, t, *([1] * (spatial.dim() - 2)))
        return torch.where(alone, spatial, mixed)
