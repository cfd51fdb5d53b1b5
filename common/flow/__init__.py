"""Optical flow: how far each pixel moves from one frame to the next. The convention stands in `common.flow.warping`."""

from common.flow.gradient import halve, lucas_kanade, lucas_kanade_step, window_average
from common.flow.learned import load_raft
from common.flow.opencv import dis, farneback
from common.flow.warping import points_inside, warp

__all__ = ["dis", "farneback", "halve", "load_raft", "lucas_kanade", "lucas_kanade_step", "points_inside", "warp",
           "window_average"]  # fmt: skip
