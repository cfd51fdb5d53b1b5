"""Takes the middle of N equal segments (a good rule elsewhere): neither end is in the sample.

Message: does not start with the first frame
"""


def even_indices(total, num_frames):
    if total < 1:
        raise ValueError(f"no frames to choose from: total is {total}")
    if num_frames < 1:
        raise ValueError(f"num_frames must be at least 1, not {num_frames}")
    return [int((k + 0.5) * total / num_frames) for k in range(num_frames)]
