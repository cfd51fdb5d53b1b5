"""A decoder in two streams: a background, drawn once, and a thing, drawn once and put into every frame."""

import torch
from einops import rearrange, repeat
from torch import nn
from torch.nn import functional as F

PATCH = 4  # pixels: the last step of a picture
USUAL = 0.5  # radius of a thing before anything is learned: a quarter of the frame's height
THING, REACH = 24, 1.5  # pixels of a thing's picture, and how far it reaches, in radii
EDGE = 4.0  # how steep the edge of the first disc is
SLOWLY = 1 / 8  # of what the layers say of places


class Picture(nn.Module):
    """A code to a picture: `(N, D)` to `(N, C, size, size)`.

    Args:
        code_dim: D.
        num_channels: C.
        size: height and width, a multiple of 4.
        width: half the channels of the grid that becomes the picture.
        hidden_size: of the layer that reads the code.
    """

    def __init__(self, code_dim: int, num_channels: int, size: int, width: int, hidden_size: int):
        super().__init__()
        self.grid = size // PATCH
        self.code_in = nn.Linear(code_dim, hidden_size)
        self.grid_in = nn.Linear(hidden_size, width // 2 * self.grid**2)
        self.conv = nn.Conv2d(width // 2, 2 * width, 3, padding=1)
        self.picture_out = nn.Conv2d(2 * width, num_channels * PATCH**2, 3, padding=1)

    def forward(self, code: torch.Tensor) -> torch.Tensor:
        x = self.grid_in(F.silu(self.code_in(code)))
        x = rearrange(x, "n (c h w) -> n c h w", h=self.grid, w=self.grid)
        return F.pixel_shuffle(self.picture_out(F.silu(self.conv(x))), PATCH)


class TwoStreams(nn.Module):
    """Codes to frames: a background from *what* alone, and over it a thing that *what* draws once and *where* places.

    The thing is a small picture with a mask. It is put into each frame by reading it at moved and scaled places, as a
    spatial transformer does (Jaderberg et al. 2015, arXiv:1506.02025), so a shape that was learned at one place is
    known at all places. Before anything is learned the mask is a soft disc in the middle, for every code, and places
    and sizes change slowly: a thing that leaves the frame, or fills it, before it has a colour never comes back, for
    no gradient says where it should be.

    Args:
        what_dim: numbers in the code that says what.
        where_dim: numbers in the code that says where.
        size: H = W, a multiple of 8.
        width: of the pictures' layers.
        hidden_size: of the layers that read codes.
    """

    def __init__(self, what_dim: int, where_dim: int, size: int, width: int, hidden_size: int):
        super().__init__()
        self.size = size
        self.pose = nn.Sequential(nn.Linear(where_dim, hidden_size), nn.SiLU(), nn.Linear(hidden_size, 3))
        for parameter in self.pose[-1].parameters():
            nn.init.zeros_(parameter)
        self.ground = Picture(what_dim, 3, size, width, hidden_size)
        self.thing = Picture(what_dim, 4, THING, width, hidden_size)

    def forward(self, what: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
        """`(B, what_dim)` and `(B, where_dim, T)` to clips `(B, 3, T, H, W)`, about [-1, 1]."""
        num_frames = where.shape[2]
        places = self.places(rearrange(where, "b d t -> (b t) d"))
        color, mask = self.put(repeat(self.thing(what), "b c h w -> (b t) c h w", t=num_frames), places)
        color, mask = (rearrange(x, "(b t) c h w -> b c t h w", t=num_frames) for x in (color, mask))
        ground = self.ground(what)[:, :, None]  # (B, 3, 1, H, W): one for all frames
        return ground + mask * (color - ground)

    def places(self, where: torch.Tensor) -> torch.Tensor:
        """Where every pixel lies as the thing sees it: `(N, where_dim)` to `(N, H, W, 2)`, x and y.

        The code is read as a middle and the logarithm of a size. A place is counted from that middle, in that size.
        """
        middle, log_size = (SLOWLY * self.pose(where)).split([2, 1], dim=1)
        line = (torch.arange(self.size, device=where.device) + 0.5) * (2 / self.size) - 1  # -1 to 1
        y, x = torch.meshgrid(line, line, indexing="ij")
        away = torch.stack([x, y], dim=-1) - middle[:, None, None]  # (N, H, W, 2)
        return away * torch.exp(-log_size)[:, None, None] / USUAL

    def put(self, things: torch.Tensor, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pictures of things `(N, 4, h, w)`, read at places, as colours `(N, 3, H, W)` and masks `(N, 1, H, W)`."""
        read = F.grid_sample(things, places / REACH, align_corners=False)  # (N, 4, H, W); 0 outside
        disc = EDGE * (1 - places.square().sum(dim=-1))[:, None]  # (N, 1, H, W): positive inside of radius 1
        return read[:, :3], torch.sigmoid(read[:, 3:] + disc)
