"""Leaves clips without loss out of the mean.

Message: infinite where one of them is
"""


def summarise(measurements):
    groups = {}
    for stored in measurements:
        groups.setdefault(stored.form, []).append(stored)
    table = {}
    for form, group in groups.items():
        total = sum(stored.num_bytes for stored in group)
        raw = sum(stored.raw_bytes for stored in group)
        seconds = [stored.write_seconds for stored in group]
        psnrs = [stored.psnr for stored in group]
        table[form] = Row(
            len(group),
            total / 1e6,
            raw / total,
            1000 * float(np.median(seconds)),
            float(np.mean([p for p in psnrs if np.isfinite(p)] or [0.0])),
            min([p for p in psnrs if np.isfinite(p)] or [0.0]),
        )
    return table
