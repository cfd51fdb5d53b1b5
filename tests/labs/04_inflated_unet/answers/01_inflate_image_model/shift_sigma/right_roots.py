"""Two roots, one after the other."""


def shift_sigma(sigma, num_frames, base_frames=1):
    if min(num_frames, base_frames) < 1:
        raise ValueError("fewer than one frame")
    return (sigma.clone() * num_frames**0.5) / base_frames**0.5
