"""Groups neighbours only, so that a form's last run of measurements is all that is left.

Message: count the clips of this form
"""


def summarise(measurements):
    from itertools import groupby

    table = {}
    for form, group in groupby(measurements, key=lambda stored: stored.form):
        group = list(group)
        total = sum(stored.num_bytes for stored in group)
        seconds, psnrs = [stored.write_seconds for stored in group], [stored.psnr for stored in group]
        ratio = sum(stored.raw_bytes for stored in group) / total
        table[form] = Row(
            len(group), total / 1e6, ratio, 1000 * float(np.median(seconds)), float(np.mean(psnrs)), min(psnrs)
        )
    return table
