"""One look at the clock between two calls serves both.

Message: two looks for each timed call
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
        begin = clock()
        for name in order:
            tasks[name]()
            end = clock()
            seconds[name].append(end - begin)
            begin = end
        order = order[1:] + order[:1]
    return {name: Timing(statistics.median(s), min(s), max(s)) for name, s in seconds.items()}
