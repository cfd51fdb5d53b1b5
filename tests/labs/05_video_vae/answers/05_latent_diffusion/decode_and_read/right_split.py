"""Decodes piece by piece, and reads everything at the end."""


def decode_and_read(latents, captions, statistics, decode, batch_size=24):
    if len(latents) == 0 or len(latents) != len(captions):
        raise ValueError("one caption per latent, please")
    with torch.inference_mode(False), torch.no_grad():
        clips = [decode(statistics.denormalize(piece)) for piece in latents.split(batch_size)]
        rows = mini_agreement(list(captions), torch.cat(clips).clip(-1.0, 1.0))
    return Share(right=sum(1 for row in rows if row["right"]), total=len(rows))
