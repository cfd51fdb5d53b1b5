"""The mean frame repeated for every frame."""


def remove_mean(clip):
    return clip - mean_frame(clip).expand_as(clip)
