"""Sorts the caller's list.

Message: changed the measurements
"""


def summarise(measurements):
    groups = {}
    for m in measurements:
        groups.setdefault(m.form, []).append(m)
    measurements.sort(key=lambda m: m.form)
    return {f: Row(len(g), sum(m.num_bytes for m in g) / 1e6, sum(m.raw_bytes for m in g) / sum(m.num_bytes for m in g), 1000 * float(np.median([m.write_seconds for m in g])), float(np.mean([m.psnr for m in g])), min(m.psnr for m in g)) for f, g in groups.items()}
