"""A context for the threads, a function for one call, and sorted lists."""

import contextlib
import statistics


@contextlib.contextmanager
def threads(count):
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def quantile(values, q):
    values = sorted(values)
    place = q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (place - low) * (values[high] - values[low])


def measure_latency(
    tasks, rounds=30, warm_up=3, num_threads=1, clock=time.perf_counter, cpu_clock=time.process_time
):
    if rounds < 1:
        raise ValueError(f"rounds is {rounds}")
    if warm_up < 0:
        raise ValueError(f"warm_up is {warm_up}")
    if num_threads < 1:
        raise ValueError(f"num_threads is {num_threads}")

    def spent(task):
        cpu, wall = cpu_clock(), clock()
        task()
        return 1e3 * (clock() - wall), 1e3 * (cpu_clock() - cpu)

    found = {name: [] for name in tasks}
    with threads(num_threads):
        [task() for _ in range(warm_up) for task in tasks.values()]
        for _ in range(rounds):
            for name in tasks:
                found[name].append(spent(tasks[name]))
    result = {}
    for name, pairs in found.items():
        wall, cpu = zip(*pairs)
        result[name] = Latency(median=statistics.median(wall), p95=quantile(wall, 0.95), cpu=statistics.median(cpu))
    return result
