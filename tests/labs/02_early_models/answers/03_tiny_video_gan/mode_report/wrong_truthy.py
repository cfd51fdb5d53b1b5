"""Takes a mode that counts as false, such as 0, for an unread sample.

Message: modes like any other
"""


def mode_report(samples, data):
    if not samples or not data:
        raise ValueError("nothing")
    if None in data:
        raise ValueError("unread")
    wanted = Counter(data)
    found = Counter(mode for mode in samples if mode and mode in wanted)
    num_known, scale = found.total(), len(data) / len(samples)
    return ModeReport(
        known=num_known / len(samples),
        coverage=len(found) / len(wanted),
        entropy=sum(-n / num_known * math.log(n / num_known) for n in found.values()),
        recall=sum(min(n * scale, wanted[mode]) for mode, n in found.items()) / len(data),
    )
