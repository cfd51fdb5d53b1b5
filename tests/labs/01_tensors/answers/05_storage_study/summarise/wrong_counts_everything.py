"""Counts the measurements of all forms.

Message: count the clips of this form
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
            len(measurements),
            total / 1e6,
            raw / total,
            1000 * float(np.median(seconds)),
            float(np.mean(psnrs)),
            min(psnrs),
        )
    return table
