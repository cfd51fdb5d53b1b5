"""Divides the entropy by its largest value.

Message: log K for K
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
        known=num_known / len(samples),
        coverage=len(found) / len(wanted),
        entropy=sum(-n / num_known * math.log(n / num_known) for n in found.values())
        / max(1e-9, math.log(len(wanted))),
        recall=sum(min(n * scale, wanted[mode]) for mode, n in found.items()) / len(data),
    )
