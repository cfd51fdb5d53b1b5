"""Names are cut by split and removesuffix."""


def convert_keys(state):
    ours = {}
    for theirs, value in state.items():
        if theirs in COMPUTED:
            continue
        head, part = [], theirs
        if theirs.startswith(("spatial_blocks.", "temporal_blocks.")):
            *head, part = theirs.split(".", 2)
        end = next((end for end in (".weight", ".bias") if part.endswith(end)), "")
        part = part.removesuffix(end)
        if part not in NAMES:
            raise ValueError(f"unknown: {theirs}")
        name = ".".join([*head, NAMES[part] + end])
        if NAMES[part] == "patches_in" and end == ".weight":
            value = value.reshape(value.shape[0], -1)
        elif NAMES[part] == "patches_out":
            four = value.unflatten(0, (4, -1)).transpose(0, 1)
            value = four.flatten(0, 1).neg()
        ours[name] = value
    return ours
