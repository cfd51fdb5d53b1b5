"""Names every place first, and builds the new dict tensor by tensor."""


def inflate(image_state, video_state):
    places = {}
    for name, tensor in image_state.items():
        parts = name.split(".")
        if "resnets" in parts:
            parts.insert(parts.index("resnets") + 2, "spatial_res_block")
        places[".".join(parts)] = tensor
    for name in places:
        if name not in video_state:
            raise ValueError(f"no place for {name}")
    found = {}
    for name, old in video_state.items():
        if name not in places:
            found[name] = old.clone()
            continue
        new = places[name].to(device=old.device, dtype=old.dtype, copy=True)
        if name == "conv_in.weight" and new.ndim == 4 and new.shape[1] < old.shape[1]:
            more = old.new_zeros(new.shape[0], old.shape[1] - new.shape[1], *new.shape[2:])
            new = torch.cat([new, more], dim=1)
        if new.shape != old.shape:
            raise ValueError(f"{name} has the shape {tuple(new.shape)} and its place {tuple(old.shape)}")
        found[name] = new
    return found
