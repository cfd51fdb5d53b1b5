"""Takes a sample for known as soon as it could be read.

Message: the fraction of samples that could be read
"""


def mode_report(samples, data):
    if not samples or not data:
        raise ValueError(f"nothing to compare: {len(samples)} samples, {len(data)} clips of the data")
    if None in data:
        raise ValueError(f"{data.count(None)} clips of the data could not be read")
    wanted = Counter(data)
    found = Counter(mode for mode in samples if mode in wanted)
    num_known, scale = found.total(), len(data) / len(samples)
    return ModeReport(
        known=sum(mode is not None for mode in samples) / len(samples),
        coverage=len(found) / len(wanted),
        entropy=sum(-n / num_known * math.log(n / num_known) for n in found.values()),
        recall=sum(min(n * scale, wanted[mode]) for mode, n in found.items()) / len(data),
    )
