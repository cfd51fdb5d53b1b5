"""Never more than one sample, which is at most batch_size."""


def decode_and_read(latents, captions, statistics, decode, batch_size=24):
    if not 0 < len(latents) == len(captions):
        raise ValueError(f"{len(latents)} latents, {len(captions)} captions")
    found = []
    with torch.no_grad():
        raw = statistics.denormalize(latents)
        for caption, z in zip(captions, raw):
            clip = torch.clamp(decode(z[None]), min=-1, max=1)
            found.extend(mini_agreement([caption], clip))
    return Share(int(sum(row["right"] for row in found)), len(found))
