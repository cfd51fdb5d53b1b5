"""The next arm comes from a queue of (time, number)."""
import heapq


def equal_time_run(steps, core_seconds, clock=time.process_time):
    if core_seconds <= 0:
        raise ValueError(f"core_seconds must be positive, got {core_seconds}")
    names = list(steps)
    curves = {name: [] for name in names}
    queue = [(0.0, number) for number in range(len(names))]
    while queue and queue[0][0] < core_seconds:
        used, number = heapq.heappop(queue)
        name = names[number]
        before = clock()
        loss = steps[name]()
        after = clock()
        used += after - before
        curves[name].append((used, loss))
        heapq.heappush(queue, (used, number))
    return curves
