"""Answers a repeated request once.

Message: one warm-up for each
"""


def random_read_ms(reads, requests, clock=time.perf_counter):
    if not reads or not requests:
        raise ValueError("nothing")
    names = list(reads)
    for n in names:
        reads[n](*requests[0])
    s = {n: [] for n in names}
    for i, (c, f) in enumerate(dict.fromkeys(requests)):
        k = i % len(names)
        for n in names[k:] + names[:k]:
            a = clock(); reads[n](c, f); s[n].append(clock() - a)
    return {n: 1000 * float(np.median(s[n])) for n in names}
