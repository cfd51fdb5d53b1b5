"""The curves hold all that is known."""


def equal_time_run(steps, core_seconds, clock=time.process_time):
    if not core_seconds > 0:
        raise ValueError("there is no time")
    curves = {}
    for name in steps:
        curves[name] = []

    def so_far(name):
        return curves[name][-1][0] if curves[name] else 0.0

    while True:
        times = [so_far(name) for name in curves]
        if all(t >= core_seconds for t in times):
            return curves
        name = list(curves)[times.index(min(times))]
        start = clock()
        loss = steps[name]()
        end = clock()
        curves[name].append((so_far(name) + (end - start), loss))
