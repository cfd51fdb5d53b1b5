"""Two lists shifted against each other.
"""


def shot_ranges(cuts, num_frames):
    cuts = [int(cut) for cut in cuts]
    if num_frames < 1:
        raise ValueError(f"num_frames is {num_frames}")
    for cut in cuts:
        if not 1 <= cut <= num_frames - 1:
            raise ValueError(f"cut {cut} lies outside")
    if sorted(set(cuts)) != cuts:
        raise ValueError(f"cuts do not rise: {cuts}")
    return list(zip([0] + cuts, cuts + [num_frames]))
