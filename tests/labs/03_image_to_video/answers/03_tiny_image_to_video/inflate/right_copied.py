"""A deep copy, into which new tensors are put."""


def inflate(image_state, video_state):
    import copy
    import re

    found = copy.deepcopy(dict(video_state))
    for key in image_state:
        target = re.sub(r"resnets\.(\d+)\.", r"resnets.\1.spatial_res_block.", key)
        if target not in found:
            raise ValueError(f"{key} has no place in the video model")
        source, there = image_state[key], found[target]
        if key == "conv_in.weight":
            fits = source.shape[1] <= there.shape[1] and source.shape[0] == there.shape[0]
            if not fits or source.shape[2:] != there.shape[2:]:
                raise ValueError("conv_in does not fit")
            wide = torch.zeros_like(there)
            wide[:, : source.shape[1]] = source.to(wide)
            found[target] = wide
        elif source.shape != there.shape:
            raise ValueError(f"{key} does not fit")
        else:
            found[target] = source.detach().clone().to(there)
    return found
