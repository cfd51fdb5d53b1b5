"""In logarithms: half of ln(T / T0) is added."""


def shift_sigma(sigma, num_frames, base_frames=1):
    for count in (num_frames, base_frames):
        if count < 1:
            raise ValueError(f"{count} frames are no clip")
    more = 0.5 * (math.log(num_frames) - math.log(base_frames))
    return sigma * math.exp(more)
