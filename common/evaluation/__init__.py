"""Measurements of pictures and clips. Every function takes what it measures as an argument; none imports a model."""

from common.evaluation.cuts import cut_scores
from common.evaluation.flow import end_point_error
from common.evaluation.image import psnr, ssim
from common.evaluation.temporal import flicker, motion_score

__all__ = ["cut_scores", "end_point_error", "flicker", "motion_score", "psnr", "ssim"]
