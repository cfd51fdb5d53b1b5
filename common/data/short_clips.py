"""Many short clips out of the bundled shots."""

import numpy as np

from common.data.bundled import clips
from common.video import read_frames


def cut_clips(num_clips, num_frames, height, seed=0):
    """Clips (T, H, W, 3) from the bundled shots, taken in turn; where each begins is drawn, and none begins twice."""
    draw = np.random.default_rng(seed)
    shots = [read_frames(clip.path, size=height) for clip in clips()]
    starts = [draw.permutation(len(shot) - num_frames + 1) for shot in shots]
    places = [(i % len(shots), i // len(shots)) for i in range(num_clips)]
    return [shots[shot][starts[shot][k] : starts[shot][k] + num_frames] for shot, k in places]
