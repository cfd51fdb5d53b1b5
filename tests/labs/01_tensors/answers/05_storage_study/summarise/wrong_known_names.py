"""Knows the names of the forms in advance.

Message: should have the keys
"""


def summarise(measurements):
    groups = {}
    for stored in measurements:
        groups.setdefault(stored.form, []).append(stored)
    table = {}
    for form, group in [(name, groups[name]) for name in ("raw .npy", "H.264 .mp4", "AV1 .webm") if name in groups]:
        total = sum(stored.num_bytes for stored in group)
        raw = sum(stored.raw_bytes for stored in group)
        seconds = [stored.write_seconds for stored in group]
        psnrs = [stored.psnr for stored in group]
        table[form] = Row(
            len(group), total / 1e6, raw / total, 1000 * float(np.median(seconds)), float(np.mean(psnrs)), min(psnrs)
        )
    return table
