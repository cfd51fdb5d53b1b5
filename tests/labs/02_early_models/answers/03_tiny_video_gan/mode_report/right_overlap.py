"""Recall as the overlap of two histograms; entropy as log n minus a mean of logs."""


def mode_report(samples, data):
    if not samples or not data:
        raise ValueError(f"nothing to compare: {len(samples)} samples, {len(data)} clips of the data")
    if None in data:
        raise ValueError(f"{data.count(None)} clips of the data could not be read")
    modes = list(dict.fromkeys(data))
    counts = [sum(s == m for s in samples) for m in modes]
    known = sum(counts)
    if known == 0:
        return ModeReport(known=0.0, coverage=0.0, entropy=0.0, recall=0.0)
    entropy = math.log(known) - sum(n * math.log(n) for n in counts if n) / known
    overlap = sum(min(n / len(samples), data.count(m) / len(data)) for n, m in zip(counts, modes))
    coverage = len([n for n in counts if n > 0]) / len(modes)
    return ModeReport(known=known / len(samples), coverage=coverage, entropy=entropy, recall=overlap)
