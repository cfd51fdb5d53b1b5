"""Counts the warm-up among the times.

Message: off the clock
"""


def random_read_ms(reads, requests, clock=time.perf_counter):
    if not reads or not requests:
        raise ValueError("nothing to race")
    names = list(reads)
    seconds = {name: [] for name in names}
    for i, (clip, frame) in enumerate([requests[0], *requests]):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            begin = clock()
            reads[name](clip, frame)
            seconds[name].append(clock() - begin)
    return {name: 1000 * float(np.median(seconds[name])) for name in names}
