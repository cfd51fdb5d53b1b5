"""H(A) - H(A | X', S), with the posterior of every frame."""


def action_ceiling(outcomes, probabilities):
    p = np.asarray(probabilities, dtype=float)
    if len(p) != outcomes.shape[1]:
        raise ValueError(f"{len(p)} probabilities for {outcomes.shape[1]} actions")

    def bits(q):
        q = q[q > 0]
        return -(q * np.log2(q)).sum()

    told = []
    for row in outcomes.numpy():
        left = 0.0
        for frame in np.unique(row):
            mass = p[row == frame].sum()
            if mass > 0:
                left += mass * bits(p[row == frame] / mass)
        told.append(bits(p) - left)
    return float(np.mean(told))
