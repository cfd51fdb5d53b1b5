"""All tasks share one list of times.

Message: should be
"""


def time_fairly(tasks, rounds=5, clock=time.perf_counter):
    if not tasks or rounds < 1:
        raise ValueError(f"bad {rounds}")
    names = list(tasks)
    for n in names:
        tasks[n]()
    s = dict.fromkeys(names, [])
    for r in range(rounds):
        k = r % len(names)
        for n in names[k:] + names[:k]:
            a = clock()
            tasks[n]()
            s[n].append(clock() - a)
    return {n: Timing(statistics.median(v), min(v), max(v)) for n, v in s.items()}
