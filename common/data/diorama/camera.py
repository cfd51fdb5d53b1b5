"""A pinhole camera that moves: intrinsics and poses along a path, points of a depth map, homographies of planes.

OpenCV's convention: x to the right, y down, z forward. A pose is camera-to-world, a rigid 4×4 matrix whose columns are
the camera's right, down and forward axes and its centre. The world's axes are the first camera's, its origin the first
camera's centre. Pixels are counted from the upper left corner: the middle of the first one is (0.5, 0.5).
"""

from dataclasses import dataclass

import torch

FOCAL_LENGTH = 1.0  # of the first frame, in heights of the picture: 53 degrees from top to bottom
PIVOT = 0.75  # depth of the point that an orbit goes round


@dataclass(frozen=True)
class CameraPath:
    """Cameras of T frames.

    Attributes:
        intrinsics: `(..., T, 3, 3)`, pixels.
        camera_to_world: `(..., T, 4, 4)`.
    """

    intrinsics: torch.Tensor
    camera_to_world: torch.Tensor


def camera_path(speeds: torch.Tensor, times: torch.Tensor, height: int, width: int) -> CameraPath:
    """The path of a camera whose moves have constant speeds.

    It slides and rolls along the axes of the first camera, as if on rails, and turns by pan and tilt on the spot. So
    moves can be mixed, and no order of them has to be chosen.

    Args:
        speeds: `(..., 6)`, as `CameraMove.speeds`.
        times: seconds since the first frame, `(T,)`.
        height, width: of the picture, in pixels.

    Returns:
        The cameras, float64.
    """
    moved = speeds.double()[..., None, :] * times.double()[:, None]  # (..., T, 6)
    truck, dolly, pan, tilt, zoom, orbit = moved.unbind(dim=-1)
    around, yaw, pitch = orbit.deg2rad(), (pan - orbit).deg2rad(), tilt.deg2rad()
    zero, one = torch.zeros_like(zoom), torch.ones_like(zoom)
    focal = FOCAL_LENGTH * height * zoom.exp()
    intrinsics = [focal, zero, one * width / 2, zero, focal, one * height / 2, zero, zero, one]
    x, z = truck + PIVOT * around.sin(), dolly + PIVOT * (1 - around.cos())
    poses = [
        *(yaw.cos(), yaw.sin() * pitch.sin(), yaw.sin() * pitch.cos(), x),
        *(zero, pitch.cos(), -pitch.sin(), zero),
        *(-yaw.sin(), yaw.cos() * pitch.sin(), yaw.cos() * pitch.cos(), z),
        *(zero, zero, zero, one),
    ]
    return CameraPath(
        torch.stack(intrinsics, dim=-1).unflatten(-1, (3, 3)), torch.stack(poses, dim=-1).unflatten(-1, (4, 4))
    )


def unproject(depth: torch.Tensor, intrinsics: torch.Tensor, camera_to_world: torch.Tensor) -> torch.Tensor:
    """Where in the world each pixel's middle is, from a depth map.

    Args:
        depth: `(..., H, W)`: how far each pixel is along the camera's forward axis. (Not along its ray.)
        intrinsics: `(..., 3, 3)`.
        camera_to_world: `(..., 4, 4)`.

    Returns:
        `(..., 3, H, W)`.
    """
    height, width = depth.shape[-2:]
    rotation, center = camera_to_world[..., :3, :3], camera_to_world[..., :3, 3]
    rays = (rotation @ intrinsics.inverse()) @ _pixels(height, width).to(depth)  # (..., 3, H W)
    return center[..., None, None] + rays.unflatten(-1, (height, width)) * depth.unsqueeze(-3)


def plane_homography(intrinsics: torch.Tensor, camera_to_world: torch.Tensor, depth: float) -> torch.Tensor:
    """The homography H from a picture to the plane z = `depth` of the world: H (column, row, 1) = w (x, y, 1).

    A ray o + s d meets the plane at s = (depth - o_z) / d_z. H is scaled so that w = d_z, where d = R K⁻¹ (column, row,
    1) has length 1 along the camera's forward axis. So s = (depth - o_z) / w is the point's depth in the picture.

    Args:
        intrinsics: K, `(..., 3, 3)`.
        camera_to_world: `(..., 4, 4)`, R and the centre o.
        depth: of the plane, in the world.

    Returns:
        `(..., 3, 3)`. Its inverse takes points of the plane into the picture.
    """
    rotation, center = camera_to_world[..., :3, :3], camera_to_world[..., :3, 3]
    x, y, z = center.unbind(dim=-1)
    zero, one = torch.zeros_like(x), torch.ones_like(x)
    onto = torch.stack([depth - z, zero, x, zero, depth - z, y, zero, zero, one], dim=-1).unflatten(-1, (3, 3))
    return onto @ rotation @ intrinsics.inverse()


def _pixels(height: int, width: int) -> torch.Tensor:
    """The middles of a picture's pixels, `(3, H W)`: column, row, 1."""
    rows, columns = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack([columns, rows, torch.ones_like(rows)]).flatten(1)
