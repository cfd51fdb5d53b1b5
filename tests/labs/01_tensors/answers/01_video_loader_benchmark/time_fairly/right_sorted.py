"""Its own median, out of the sorted times.
"""


def time_fairly(tasks, rounds=5, clock=time.perf_counter):
    if not tasks:
        raise ValueError("no tasks")
    if rounds < 1:
        raise ValueError(f"rounds must be at least 1, got {rounds}")
    seconds = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    names = list(tasks)
    for r in range(rounds):
        start = r % len(names)
        for name in names[start:] + names[:start]:
            before = clock()
            tasks[name]()
            after = clock()
            seconds[name] = sorted([*seconds[name], after - before])
    low, high = (rounds - 1) // 2, rounds // 2
    return {n: Timing(median=(s[low] + s[high]) / 2, fastest=s[0], slowest=s[-1]) for n, s in seconds.items()}
