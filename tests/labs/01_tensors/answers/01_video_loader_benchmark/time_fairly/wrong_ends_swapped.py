"""Slowest and fastest the wrong way round.

Message: fastest
"""


def time_fairly(tasks, rounds=5, clock=time.perf_counter):
    if not tasks:
        raise ValueError("no tasks")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    seconds = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    order = list(tasks)
    for _ in range(rounds):
        for name in order:
            begin = clock()
            tasks[name]()
            end = clock()
            seconds[name].append(end - begin)
        order = order[1:] + order[:1]
    return {name: Timing(statistics.median(s), max(s), min(s)) for name, s in seconds.items()}
