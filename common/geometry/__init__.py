"""Pinhole cameras: where they are, what ray each pixel sees, and where a point of the world lands in the picture."""

from common.geometry.cameras import (
    camera_poses,
    camera_rays,
    intrinsics_of,
    invert_poses,
    plucker,
    project,
    relative_poses,
)

__all__ = ["camera_poses", "camera_rays", "intrinsics_of", "invert_poses", "plucker", "project", "relative_poses"]
