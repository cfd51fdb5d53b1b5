"""Gives each frame the number of its shot, and reads off where it changes.
"""


def shot_ranges(cuts, num_frames):
    cuts = np.array(list(cuts), dtype=int)
    if num_frames < 1:
        raise ValueError(f"no film of {num_frames} frames")
    if (np.diff(cuts) <= 0).any() or (cuts < 1).any() or (cuts >= num_frames).any():
        raise ValueError(f"cuts {cuts.tolist()} do not fit {num_frames} frames")
    label = np.searchsorted(cuts, np.arange(num_frames), side="right")
    return [(int((label < k).sum()), int((label <= k).sum())) for k in range(len(cuts) + 1)]
