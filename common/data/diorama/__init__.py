"""A 2.5-D world, a pinhole camera before planes: exact depth, poses, intrinsics, flow and masks of every clip."""

from common.data.diorama.camera import CameraPath, camera_path, plane_homography, unproject
from common.data.diorama.captions import caption
from common.data.diorama.moves import MOVES, CameraMove, is_held_out
from common.data.diorama.render import DioramaBatch, render
from common.data.diorama.scenes import DioramaScene
from common.data.diorama.truth import DioramaTruth, truth
from common.data.diorama.world import DioramaData

__all__ = ["MOVES", "CameraMove", "CameraPath", "DioramaBatch", "DioramaData", "DioramaScene", "DioramaTruth",
           "camera_path", "caption", "is_held_out", "plane_homography", "render", "truth", "unproject"]  # fmt: skip
