"""Numbers in an array, numpy's median.
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
    taken = np.zeros((rounds, len(names)))
    for r in range(rounds):
        for column in np.roll(np.arange(len(names)), -r):
            begin = clock()
            tasks[names[column]]()
            taken[r, column] = clock() - begin
    return {n: Timing(float(np.median(s)), float(s.min()), float(s.max())) for n, s in zip(names, taken.T)}
