"""Plain loops and dictionaries."""


def mode_report(samples, data):
    if not samples or not data:
        raise ValueError(f"nothing to compare: {len(samples)} samples, {len(data)} clips of the data")
    if None in data:
        raise ValueError(f"{data.count(None)} clips of the data could not be read")
    n, d = {}, {}
    for mode in data:
        d[mode] = d.get(mode, 0) + 1
        n[mode] = 0
    for mode in samples:
        if mode is not None and mode in n:
            n[mode] += 1
    total = sum(n.values())
    covered, entropy, recalled = 0, 0.0, 0.0
    for mode in d:
        if n[mode]:
            covered += 1
            p = n[mode] / total
            entropy -= p * math.log(p)
        recalled += min(n[mode] * len(data) / len(samples), d[mode])
    return ModeReport(total / len(samples), covered / len(d), entropy, recalled / len(data))
