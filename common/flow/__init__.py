"""Optical flow: how far each pixel moves from one frame to the next. The convention is in `common.flow.warping`."""

from common.flow.baselines import average_frames, dis_between, minterpolate
from common.flow.between import expected_motion, fill_in, fuse, matching_cost, warp_to_time
from common.flow.film_net import load_film
from common.flow.gradient import halve, lucas_kanade, lucas_kanade_step, window_average
from common.flow.learned import load_raft
from common.flow.opencv import dis, farneback
from common.flow.warping import points_inside, warp

__all__ = ["average_frames", "dis", "dis_between", "expected_motion", "farneback", "fill_in", "fuse", "halve",
           "load_film", "load_raft", "lucas_kanade", "lucas_kanade_step", "matching_cost", "minterpolate",
           "points_inside", "warp", "warp_to_time", "window_average"]  # fmt: skip
