"""Fills an array of times."""


def random_read_ms(reads, requests, clock=time.perf_counter):
    if not reads:
        raise ValueError("no readers")
    if not requests:
        raise ValueError("no requests")
    names = list(reads)
    [reads[name](*requests[0]) for name in names]
    times = np.zeros((len(requests), len(names)))
    for i in range(len(requests)):
        for k in range(len(names)):
            which = (i + k) % len(names)
            begin = clock()
            reads[names[which]](*requests[i])
            times[i, which] = clock() - begin
    return dict(zip(names, np.median(times, axis=0) * 1e3))
