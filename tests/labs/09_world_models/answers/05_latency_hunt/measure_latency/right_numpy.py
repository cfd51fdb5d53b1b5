"""Times in one array, and NumPy's statistics."""


def measure_latency(
    tasks, rounds=30, warm_up=3, num_threads=1, clock=time.perf_counter, cpu_clock=time.process_time
):
    if rounds < 1 or warm_up < 0 or num_threads < 1:
        raise ValueError(f"cannot measure with {rounds=}, {warm_up=}, {num_threads=}")
    spent = np.zeros((2, len(tasks), rounds))
    kept = torch.get_num_threads()
    try:
        torch.set_num_threads(num_threads)
        for _ in range(warm_up):
            for task in tasks.values():
                task()
        for r in range(rounds):
            for k, task in enumerate(tasks.values()):
                start = np.array([clock(), cpu_clock()])
                task()
                spent[:, k, r] = np.array([clock(), cpu_clock()]) - start
    finally:
        torch.set_num_threads(kept)
    spent *= 1000
    return {
        name: Latency(float(np.median(spent[0, k])), float(np.percentile(spent[0, k], 95)), float(np.median(spent[1, k])))
        for k, name in enumerate(tasks)
    }
