"""Window by window, with a plain loop."""


def episode_windows(frames, actions, rewards, ends, length):
    if length < 2 or length > len(frames):
        raise ValueError(f"length must be 2 to {len(frames)}, got {length}")
    starts = []
    for start in range(len(frames) - length + 1):
        # Frame start is the last of an episode if the step before it says so.
        earlier = ends[max(start - 1, 0) : start + length - 2] if start else ends[: length - 2]
        if not earlier.any():
            starts.append(start)
    count = len(starts)
    shown = frames.new_zeros(count, length, *frames.shape[1:])
    pressed = torch.zeros(count, length, dtype=torch.int64)
    got, goes_on = torch.zeros(count, length), torch.ones(count, length)
    for row, start in enumerate(starts):
        shown[row] = frames[start : start + length]
        pressed[row, 1:] = actions[start : start + length - 1]
        got[row, 1:] = rewards[start : start + length - 1]
        goes_on[row, 1:] = (~ends[start : start + length - 1]).float()
    return Windows(shown, pressed, got, goes_on)
