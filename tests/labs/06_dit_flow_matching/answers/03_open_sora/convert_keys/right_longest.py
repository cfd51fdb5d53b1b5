"""Tries every known part on every name, the longest first."""


def convert_keys(state):
    def translate(name):
        for part in sorted(NAMES, key=len, reverse=True):
            found = re.fullmatch(rf"((spatial|temporal)_blocks\.[0-9]+\.|){re.escape(part)}(|\.weight|\.bias)", name)
            if found:
                return found[1] + NAMES[part] + found[3]
        raise ValueError(f"{name}: no such weight")

    result = {translate(name): tensor for name, tensor in state.items() if name not in COMPUTED}
    for name in result:
        if name == "patches_in.weight":
            result[name] = rearrange(result[name], "d c t h w -> d (c t h w)")
        if name in ("patches_out.weight", "patches_out.bias"):
            result[name] = torch.cat([-result[name][k :: len(result[name]) // 4] for k in range(len(result[name]) // 4)])
    return result
