"""Stops turning after as many rounds as there are tasks.

Message: one task later
"""


def time_fairly(tasks, rounds=5, clock=time.perf_counter):
    if not tasks or rounds < 1:
        raise ValueError(f"bad {rounds}")
    names = list(tasks)
    for n in names:
        tasks[n]()
    s = {n: [] for n in names}
    for r in range(rounds):
        for n in names[r:] + names[:r]:
            a = clock()
            tasks[n]()
            s[n].append(clock() - a)
    return {n: Timing(statistics.median(v), min(v), max(v)) for n, v in s.items()}
