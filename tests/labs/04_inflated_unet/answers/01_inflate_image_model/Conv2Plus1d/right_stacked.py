"""Stacks frames by hand, and takes the output apart again."""


class Conv2Plus1d(nn.Module):
    def __init__(self, spatial: nn.Module, temporal: nn.Module):
        super().__init__()
        self.spatial, self.temporal = spatial, temporal

    def forward(self, x: torch.Tensor, temb: torch.Tensor) -> torch.Tensor:
        pictures = torch.stack([x[b, :, t] for b in range(x.shape[0]) for t in range(x.shape[2])])
        told = torch.cat(list(temb))
        made = self.spatial(pictures, told)
        clips = torch.stack([torch.stack(list(clip), dim=1) for clip in made.chunk(len(x))])
        return self.temporal(clips, temb)
