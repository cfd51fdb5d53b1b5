"""All frames at once."""


def frame_pacing(compute, transport, refresh_rate=60.0):
    spent = np.asarray(compute, dtype=np.float64) + transport
    if spent.size == 0:
        raise ValueError("compute is empty")
    periods = np.maximum(np.ceil(spent * refresh_rate / 1000 - 1e-9), 1)
    return Pacing(float(refresh_rate * periods.size / periods.sum()), float(np.mean(periods >= 2)))
