"""A table of factors."""


def join(x0, eps, kind, level):
    a, b = (beside(values, eps) for values in (level.signal, level.noise))
    one = torch.ones_like(a)
    factors = {"epsilon": (0 * one, one), "sample": (one, 0 * one), "velocity": (-one, one), "v_prediction": (-b, a)}
    try:
        of_data, of_noise = factors[kind]
    except KeyError as error:
        raise ValueError(f"no such kind: {kind}") from error
    return of_data * x0 + of_noise * eps
