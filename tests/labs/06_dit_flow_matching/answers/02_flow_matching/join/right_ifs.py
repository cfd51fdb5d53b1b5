"""One case after the other."""


def join(x0, eps, kind, level):
    if kind == "epsilon":
        return eps.clone()
    if kind == "sample":
        return x0.clone()
    if kind == "velocity":
        return -(x0 - eps)
    if kind == "v_prediction":
        return beside(level.signal, x0) * eps - beside(level.noise, x0) * x0
    raise ValueError(kind)
