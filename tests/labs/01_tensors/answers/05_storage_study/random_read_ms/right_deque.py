"""Goes round with a deque, and takes the median of the statistics module."""


def random_read_ms(reads, requests, clock=time.perf_counter):
    from collections import deque
    from statistics import median

    if len(reads) == 0 or len(requests) == 0:
        raise ValueError("readers and requests, please")
    for read in reads.values():
        read(*requests[0])
    circle, times = deque(reads.items()), {name: [] for name in reads}
    for request in requests:
        for name, read in circle:
            start = clock()
            read(*request)
            stop = clock()
            times[name].append((stop - start) * 1000)
        circle.rotate(-1)
    return {name: median(values) for name, values in times.items()}
