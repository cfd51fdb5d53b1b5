"""All rounds of one, then all of the next.

Message: all rounds of one
"""


def time_fairly(tasks, rounds=5, clock=time.perf_counter):
    if not tasks:
        raise ValueError("no tasks")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    seconds = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for name, task in tasks.items():
        for _ in range(rounds):
            begin = clock()
            task()
            seconds[name].append(clock() - begin)
    return {name: Timing(statistics.median(s), min(s), max(s)) for name, s in seconds.items()}
