"""In numpy, with ranks by unique values."""


def dose_response(asked, measured):
    import numpy as np

    if asked.dim() != 2 or asked.shape != measured.shape or asked.shape[1] < 2:
        raise ValueError("asked and measured are (P, K)")
    a, m = asked.double().numpy(), measured.double().numpy()

    def ranks(row):
        _, inverse, counts = np.unique(row, return_inverse=True, return_counts=True)
        ends = np.cumsum(counts)
        return (ends - (counts + 1) / 2)[inverse]

    rhos = []
    for x, y in zip(a, m):
        x, y = ranks(x), ranks(y)
        rhos.append(0.0 if x.std() == 0 or y.std() == 0 else float(np.corrcoef(x, y)[0, 1]))
    rhos.sort()
    slope = np.polyfit(np.log(a).ravel(), np.log(np.maximum(m, 1e-3)).ravel(), 1)[0]
    off = np.sort(np.abs(m / a - 1).ravel())
    return DoseResponse(rhos[(len(rhos) - 1) // 2], float(slope), float(off[(len(off) - 1) // 2]))
