"""Counts places instead of names, sorts by hand."""


def random_read_ms(reads, requests, clock=time.perf_counter):
    if not (reads and requests):
        raise ValueError(f"{len(reads)} readers, {len(requests)} requests")
    items = list(reads.items())
    for _, read in items:
        read(requests[0][0], requests[0][1])
    times = [[] for _ in items]
    for i, request in enumerate(requests):
        place = i % len(items)
        for _ in items:
            begin = clock()
            items[place][1](*request)
            end = clock()
            times[place].append(end - begin)
            place = (place + 1) % len(items)
    result = {}
    for (name, _), values in zip(items, times):
        values.sort()
        half = len(values) // 2
        middle = values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
        result[name] = middle * 1000.0
    return result
