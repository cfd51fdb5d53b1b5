"""Runs without rounds.

Message: should raise ValueError
"""


def time_fairly(tasks, rounds=5, clock=time.perf_counter):
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
    return {name: Timing(statistics.median(s), min(s), max(s)) for name, s in seconds.items()}
