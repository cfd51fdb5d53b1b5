"""Moves axes and reshapes, without names."""


class Conv2Plus1d(nn.Module):
    def __init__(self, spatial: nn.Module, temporal: nn.Module):
        super().__init__()
        self.spatial, self.temporal = spatial, temporal

    def forward(self, x: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        batch, frames = x.shape[0], x.shape[2]
        h = self.spatial(x.movedim(2, 1).flatten(0, 1), temb.flatten(0, 1))
        return self.temporal(h.unflatten(0, (batch, frames)).movedim(1, 2), temb)
