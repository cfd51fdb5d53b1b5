"""Mutual information of two discrete variables, and the accuracy of codes after the best one-to-one naming.

A latent action model invents its codes, so code 2 may be "left" today and "jump" tomorrow. Mutual information does not
care about names. It says in bits how much a code tells about the action that was really pressed.
"""

import math

import torch


def contingency(codes: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
    """How often each code came with each action.

    Args:
        codes: int64 `(N,)`, from 0.
        actions: int64 `(N,)`, from 0.

    Returns:
        int64 `(K, A)`, one row per code up to the largest, one column per action up to the largest.

    Raises:
        ValueError: the two are not equally long, or there are none.
    """
    if codes.ndim != 1 or codes.shape != actions.shape or not len(codes):
        raise ValueError(f"codes and actions are (N,) with N > 0, got {tuple(codes.shape)} and {tuple(actions.shape)}")
    num_codes, num_actions = int(codes.max()) + 1, int(actions.max()) + 1
    return torch.bincount(codes * num_actions + actions, minlength=num_codes * num_actions).view(num_codes, num_actions)


def entropy(counts: torch.Tensor) -> float:
    """Entropy in bits of what was counted, with the Miller-Madow correction (Miller 1955).

        H = -Σ p log2 p + (m - 1) / (2 N ln 2),   m the number of values that came up

    Args:
        counts: integers of any shape, N in all, N > 0.

    Returns:
        Bits. It is exactly 0 if one value came up.
    """
    seen = counts[counts > 0].double()
    share = seen / seen.sum()
    return float(-(share * share.log2()).sum() + (len(seen) - 1) / (2 * seen.sum() * math.log(2)))


def mutual_information(codes: torch.Tensor, actions: torch.Tensor) -> float:
    """Mutual information I = H(code) + H(action) - H(code, action), each with the Miller-Madow correction.

    Without the correction, independent variables share about (K - 1)(A - 1) / (2 N ln 2) bits by chance alone.

    Args:
        codes: int64 `(N,)`, from 0.
        actions: int64 `(N,)`, from 0.

    Returns:
        Bits, at most the smaller of the two entropies but for the correction. A little below 0 is possible.
    """
    table = contingency(codes, actions)
    return entropy(table.sum(dim=1)) + entropy(table.sum(dim=0)) - entropy(table)


def matched_accuracy(codes: torch.Tensor, actions: torch.Tensor) -> float:
    """Accuracy of the codes after the best one-to-one matching of codes with actions.

    The assignment problem is solved exactly, by dynamic programming over the sets of actions already taken. With A
    actions there are 2^A sets, which is little for a game.

    Args:
        codes: int64 `(N,)`, from 0.
        actions: int64 `(N,)`, from 0.

    Returns:
        The share of the N pairs whose code was matched with their action. Codes left over count as wrong.
    """
    best = {0: 0}  # a set of actions as bits -> the most pairs that codes so far explain with it
    for row in contingency(codes, actions).tolist():
        longer = dict(best)  # this code stays without an action
        for taken, right in best.items():
            for action, count in enumerate(row):
                bit = 1 << action
                if not taken & bit:
                    longer[taken | bit] = max(longer.get(taken | bit, 0), right + count)
        best = longer
    return max(best.values()) / len(codes)
