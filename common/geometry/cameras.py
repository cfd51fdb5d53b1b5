"""Pinhole cameras along a path, in OpenCV's convention: x to the right, y down, z forward.

A pose is a rigid 4×4 matrix. All poses here are camera-to-world: column 3 is the camera's centre in the world, columns
0 to 2 are its right, down and forward axes. (Many datasets store the inverse, world-to-camera: `invert_poses`.)

Intrinsics are 3×3 matrices in pixels. The picture reaches from 0 to W and from 0 to H, so the middle of its first pixel
is (0.5, 0.5). Leading axes (...) are free: none for one clip, B for a batch.
"""

import torch
from einops import rearrange


def camera_rays(
    intrinsics: torch.Tensor, camera_to_world: torch.Tensor, height: int, width: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Camera rays: for every pixel of every frame the line along which it looks, in the world's coordinates.

    The ray of pixel (i, j), column i and row j, goes from the camera's centre through the pixel's middle,
    (i + 0.5, j + 0.5). In the camera's own axes its direction is K⁻¹ (i + 0.5, j + 0.5, 1), made of length 1. The
    pose turns it into the world.

    Args:
        intrinsics: K of each frame, `(..., T, 3, 3)` in pixels, or `(3, 3)` for all: [[fx, 0, cx], [0, fy, cy],
            [0, 0, 1]].
        camera_to_world: pose of each frame, `(..., T, 4, 4)`.
        height: H, in pixels.
        width: W, in pixels.

    Returns:
        origins: the cameras' centres, `(..., 3, T)`.
        directions: of length 1, `(..., 3, T, H, W)`.
        Both in the dtype and on the device of `camera_to_world`.

    Raises:
        ValueError: a matrix has another shape, a pose is not rigid, or a size is below 1.
    """
    demand_poses(camera_to_world)
    demand_intrinsics(intrinsics)
    if height < 1 or width < 1:
        raise ValueError(f"a picture has at least one row and one column, got {height=} and {width=}")
    kind = {"dtype": camera_to_world.dtype, "device": camera_to_world.device}
    columns, rows = torch.arange(width, **kind) + 0.5, torch.arange(height, **kind) + 0.5
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    pixels = torch.stack([x, y, torch.ones_like(x)])  # (3, H, W)
    rotation, centers = camera_to_world[..., :3, :3], camera_to_world[..., :3, 3]
    in_camera = torch.einsum("... i j, j h w -> ... i h w", intrinsics.to(**kind).inverse(), pixels)
    directions = torch.einsum("... t i j, ... t j h w -> ... i t h w", rotation, in_camera.expand(
        *rotation.shape[:-2], *in_camera.shape[-3:]))  # fmt: skip
    return rearrange(centers, "... t c -> ... c t"), directions / directions.norm(dim=-4, keepdim=True)


def plucker(origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """Plücker coordinates of rays: the moment o × d, then the direction d (Sitzmann et al. 2021, arXiv:2106.02634).

    Every point o of a line gives the same moment, so the six numbers name the line and not a point on it. CameraCtrl
    (arXiv:2404.02101) gives them to a video model as six channels of every frame.

    Args:
        origins: o, one of each frame, `(..., 3, T)`.
        directions: d of every pixel, `(..., 3, T, H, W)`, as `camera_rays` gives them.

    Returns:
        `(..., 6, T, H, W)`.

    Raises:
        ValueError: the shapes do not fit.
    """
    if directions.ndim < 4 or origins.shape != directions.shape[:-2] or directions.shape[-4] != 3:
        raise ValueError(
            "origins are (..., 3, T) and directions (..., 3, T, H, W), "
            f"got {tuple(origins.shape)} and {tuple(directions.shape)}"
        )
    o = origins[..., None, None].expand_as(directions)
    return torch.cat([torch.linalg.cross(o, directions, dim=-4), directions], dim=-4)


def relative_poses(camera_to_world: torch.Tensor, scale: float | torch.Tensor = 1.0) -> torch.Tensor:
    """Poses relative to the first frame's camera: its place is the origin, its axes are the axes, one length is 1.

    Where a path lies in its world means nothing to a model, which has never seen that world. Relative to the first
    camera, a path that is moved and turned as a whole stays the same. And each dataset has a unit of its own, often an
    arbitrary one, so all centres are divided by one length of the scene.

    Args:
        camera_to_world: pose of each frame, `(..., T, 4, 4)`.
        scale: the length that becomes 1, such as the distance of what is seen; a number, or `(...)`, one per clip.

    Returns:
        `(..., T, 4, 4)`: camera-to-first-camera, with the identity for the first frame.

    Raises:
        ValueError: a pose has another shape or is not rigid, or a scale is not above 0.
    """
    demand_poses(camera_to_world)
    lengths = torch.as_tensor(scale, dtype=camera_to_world.dtype, device=camera_to_world.device)
    if not (lengths > 0).all():
        raise ValueError(f"a scale is a length above 0, got {scale}")
    relative = invert_poses(camera_to_world[..., :1, :, :]) @ camera_to_world
    centers = relative[..., :3, 3] / lengths[..., None, None]
    return torch.cat([torch.cat([relative[..., :3, :3], centers[..., None]], dim=-1), relative[..., 3:, :]], dim=-2)


def invert_poses(poses: torch.Tensor) -> torch.Tensor:
    """Camera-to-world to world-to-camera, and back: [R | c] to [Rᵀ | -Rᵀ c].

    Args:
        poses: `(..., 4, 4)`.

    Returns:
        `(..., 4, 4)`.

    Raises:
        ValueError: a pose has another shape or is not rigid.
    """
    demand_poses(poses)
    turned = poses[..., :3, :3].mT
    centers = -turned @ poses[..., :3, 3:]
    return torch.cat([torch.cat([turned, centers], dim=-1), poses[..., 3:, :]], dim=-2)


def project(
    points: torch.Tensor, intrinsics: torch.Tensor, camera_to_world: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Where points of the world land in the picture of each frame.

    Args:
        points: `(N, 3)`, in the world.
        intrinsics: `(..., T, 3, 3)`, or `(3, 3)` for all frames.
        camera_to_world: `(..., T, 4, 4)`.

    Returns:
        pixels: column and row, `(..., T, N, 2)`; NaN for a point that is not before the camera. It may be outside the
            picture.
        depth: along the camera's forward axis, `(..., T, N)`.

    Raises:
        ValueError: a shape is another one, or a pose is not rigid.
    """
    demand_intrinsics(intrinsics)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"points are (N, 3), got {tuple(points.shape)}")
    world_to_camera = invert_poses(camera_to_world)
    points, k = points.to(camera_to_world), intrinsics.to(camera_to_world)
    seen = points @ world_to_camera[..., :3, :3].mT + world_to_camera[..., None, :3, 3]  # (..., T, N, 3)
    depth = seen[..., 2]
    pixels = (seen @ k.mT)[..., :2] / depth[..., None]
    return pixels.where(depth[..., None] > 0, torch.nan), depth


def intrinsics_of(focal_length: float | torch.Tensor, height: int, width: int) -> torch.Tensor:
    """Intrinsics of a camera with square pixels that looks through the middle of its picture.

    Args:
        focal_length: in heights of the picture: a number, or `(..., T)`. A zoom changes it. At 0.5 the picture shows 90
            degrees from top to bottom.
        height: H, in pixels.
        width: W, in pixels.

    Returns:
        `(3, 3)` or `(..., T, 3, 3)`, float32, or in the dtype of a focal length that is a tensor of floats.

    Raises:
        ValueError: a focal length is not above 0.
    """
    focal = torch.as_tensor(focal_length)
    focal = focal if focal.is_floating_point() else focal.float()
    if not (focal > 0).all():
        raise ValueError(f"a focal length is above 0, got {focal_length}")
    k = torch.zeros(*focal.shape, 3, 3, dtype=focal.dtype, device=focal.device)
    k[..., 0, 0] = k[..., 1, 1] = focal * height
    k[..., 0, 2], k[..., 1, 2], k[..., 2, 2] = width / 2, height / 2, 1
    return k


def camera_poses(
    centers: torch.Tensor, yaw: float | torch.Tensor = 0.0, pitch: float | torch.Tensor = 0.0
) -> torch.Tensor:
    """Camera-to-world poses of cameras that are held level.

    With both angles 0 the camera's axes are the world's: it looks along z, and y is down.

    Args:
        centers: of the cameras, `(..., 3)`.
        yaw: in radians, to the right (a pan): a number or `(...)`.
        pitch: in radians, upward (a tilt), likewise; the camera pitches first and is turned by the yaw then.

    Returns:
        `(..., 4, 4)`.
    """
    a, b = (torch.as_tensor(v, dtype=centers.dtype, device=centers.device).expand(centers.shape[:-1])
            for v in (yaw, pitch))  # fmt: skip
    zero, one = torch.zeros_like(a), torch.ones_like(a)
    right = torch.stack([a.cos(), zero, -a.sin(), zero], dim=-1)
    down = torch.stack([a.sin() * b.sin(), b.cos(), a.cos() * b.sin(), zero], dim=-1)
    forward = torch.stack([a.sin() * b.cos(), -b.sin(), a.cos() * b.cos(), zero], dim=-1)
    places = torch.cat([centers, one[..., None]], dim=-1)
    return torch.stack([right, down, forward, places], dim=-1)


def demand_poses(poses: torch.Tensor) -> None:
    """Check that matrices are rigid: a rotation, a centre, and the last row (0, 0, 0, 1).

    Raises:
        ValueError: they are not `(..., 4, 4)`, or one is not rigid.
    """
    if poses.ndim < 2 or poses.shape[-2:] != (4, 4):
        raise ValueError(f"poses are (..., 4, 4), got {tuple(poses.shape)}")
    rotation = poses[..., :3, :3]
    last = torch.tensor([0.0, 0.0, 0.0, 1.0]).to(poses)
    off = (rotation @ rotation.mT - torch.eye(3).to(poses)).abs().amax()
    if off > 1e-3 or not torch.equal(poses[..., 3, :], last.expand_as(poses[..., 3, :])) or (rotation.det() < 0).any():
        raise ValueError("a pose is a rotation and a centre over (0, 0, 0, 1); one of these scales, shears or mirrors")


def demand_intrinsics(intrinsics: torch.Tensor) -> None:
    """Check the shape of intrinsics.

    Raises:
        ValueError: they are not `(..., 3, 3)`.
    """
    if intrinsics.ndim < 2 or intrinsics.shape[-2:] != (3, 3):
        raise ValueError(f"intrinsics are (..., 3, 3), got {tuple(intrinsics.shape)}")
