"""A defaultdict and the statistics module."""


def summarise(measurements):
    from collections import defaultdict
    from statistics import median

    lists = defaultdict(list)
    for one in measurements:
        lists[one.form].append((one.raw_bytes, one.num_bytes, one.write_seconds, one.psnr))
    rows = {}
    for form, values in lists.items():
        raw, size, seconds, quality = zip(*values)
        rows[form] = Row(
            len(values),
            sum(size) / 1_000_000,
            sum(raw) / sum(size),
            median(seconds) * 1000,
            sum(quality) / len(quality),
            sorted(quality)[0],
        )
    return rows
