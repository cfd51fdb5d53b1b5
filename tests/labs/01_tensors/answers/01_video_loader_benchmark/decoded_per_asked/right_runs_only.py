"""Uses the plan for all three ways.
"""


def decoded_per_asked(indices, keyframes, how):
    indices = list(indices)
    if not indices:
        raise ValueError("no indices")

    def cost(wanted, starts):
        return sum(run[-1] + 1 - start for start, run in decode_runs(wanted, starts))

    ways = {
        "scan": lambda: cost(indices, [0]),
        "seek": lambda: sum(cost([i], keyframes) for i in indices),
        "plan": lambda: cost(indices, keyframes),
    }
    if how not in ways:
        raise ValueError(f"how={how!r} is not one of {list(ways)}")
    return float(np.divide(ways[how](), len(indices)))
