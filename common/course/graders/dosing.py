"""Oracles of lab 03.4: ranks by sorting, a correlation, and a dose–response picture by picture."""

from types import SimpleNamespace

import torch


def ranks(values, ties="mean"):
    """Ranks in a row by sorting; equal values share the mean of theirs, or the order decides."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    found = [0.0] * len(values)
    for place, i in enumerate(order):
        same = [p for p, j in enumerate(order) if values[j] == values[i]]
        found[i] = sum(same) / len(same) if ties == "mean" else float(place)
    return found


def correlation(x, y):
    """The correlation of two lists, 0 where one has no spread."""
    x, y = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    x, y = x - x.mean(), y - y.mean()
    size = (x.square().sum() * y.square().sum()).sqrt()
    return float((x * y).sum() / size) if size > 1e-12 else 0.0


def response_of(asked, measured, *, ties="mean", ranked=True, each="median", log=True, through="pairs", floor=1e-3,
                signed=False, over="asked", error="median", pooled=False):  # fmt: skip
    """Oracle picture by picture, and ways to do it wrong."""
    a, m = asked.double(), measured.double()
    rows = [(a.flatten().tolist(), m.flatten().tolist())] if pooled else list(zip(a.tolist(), m.tolist()))
    rhos = [correlation(ranks(x, ties), ranks(y, ties)) if ranked else correlation(x, y) for x, y in rows]
    rho = torch.tensor(rhos, dtype=torch.float64)
    x, y = (a.log(), m.clamp(min=floor).log()) if log else (a, m)
    x, y = (
        x.flatten() - (x.mean() if through != "origin" else 0),
        y.flatten() - (y.mean() if through != "origin" else 0),
    )
    off = (m - a) / (a if over == "asked" else m.clamp(min=floor))
    off = off if signed else off.abs()
    return SimpleNamespace(spearman=float(rho.median() if each == "median" else rho.mean()),
                           slope=float((x * y).sum() / x.square().sum()),
                           error=float(off.median() if error == "median" else off.mean()))  # fmt: skip
