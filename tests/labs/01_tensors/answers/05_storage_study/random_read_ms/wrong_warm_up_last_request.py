"""Warms up with the last request.

Message: requests[0]
"""


def random_read_ms(reads, requests, clock=time.perf_counter):
    if not reads or not requests:
        raise ValueError("nothing")
    names = list(reads)
    for n in names:
        reads[n](*requests[-1])
    s = {n: [] for n in names}
    for i, (c, f) in enumerate(requests):
        k = i % len(names)
        for n in names[k:] + names[:k]:
            a = clock(); reads[n](c, f); s[n].append(clock() - a)
    return {n: 1000 * float(np.median(s[n])) for n in names}
