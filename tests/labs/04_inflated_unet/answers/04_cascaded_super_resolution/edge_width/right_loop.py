"""Pixel by pixel, in plain Python."""


def edge_width(profiles):
    if profiles.dim() != 2 or profiles.shape[-1] < 2:
        raise ValueError("profiles are (N, W)")
    found = []
    for row in profiles.tolist():
        first, last = row[0], row[-1]
        if first == last:
            raise ValueError("no edge")
        heights = [(value - first) / (last - first) for value in row]
        end = next(k for k, height in enumerate(heights) if height >= 0.9)
        start = max(k for k in range(end) if heights[k] <= 0.1)
        top = end - 1 + (0.9 - heights[end - 1]) / (heights[end] - heights[end - 1])
        bottom = start + (0.1 - heights[start]) / (heights[start + 1] - heights[start])
        found.append(top - bottom)
    return profiles.new_tensor(found)
