"""Reverses the order every second time.

Message: and goes round
"""


def random_read_ms(reads, requests, clock=time.perf_counter):
    if not reads or not requests:
        raise ValueError("nothing to race")
    names = list(reads)
    for name in names:
        reads[name](*requests[0])
    seconds = {name: [] for name in names}
    for i, (clip, frame) in enumerate(requests):
        for name in names if i % 2 == 0 else names[::-1]:
            begin = clock()
            reads[name](clip, frame)
            seconds[name].append(clock() - begin)
    return {name: 1000 * float(np.median(seconds[name])) for name in names}
