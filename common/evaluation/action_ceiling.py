"""How much of an action the frames can tell at most: the ceiling for every code, by the game's own rules.

Where a wall is to the left, "left" looks like "stay". In the air, "jump" does. No eye sees the difference, so no latent
action model can learn it, and a score of its codes means something only beside this ceiling.
"""

from collections.abc import Sequence
from typing import Any

import torch

from common.data.arcade import PaintedGame


def outcomes(game: PaintedGame, states: Sequence[Any]) -> torch.Tensor:
    """Which frame each action leads to: the game is set to every state and tries all of its actions.

    Args:
        game: its state and what is seen are set.
        states: N of them.

    Returns:
        int64 `(N, A)`. In a row, equal numbers are equal frames; they are counted from 0 in every row.
    """
    table = torch.zeros(len(states), len(game.actions), dtype=torch.int64)
    for row, state in zip(table, states):
        seen: dict[bytes, int] = {}
        for action in range(len(game.actions)):
            game.set_state(state)
            game.step(action)
            row[action] = seen.setdefault(game.painting().tobytes(), len(seen))
    return table


def action_ceiling(outcomes: torch.Tensor, probabilities: Sequence[float]) -> float:
    """The mutual information of action and next frame, given the state: the ceiling for codes, in bits.

    The actions are drawn anew in every frame, whatever the state. The state and the action decide the next frame. So,
    by Bayes, what the frame tells of the action is the entropy of the frame itself:

        I(A; X' | S) = H(A) - H(A | X', S) = H(X' | S) = mean over states of -Σ_x q(x) log2 q(x)

    where q(x) is the sum of the probabilities of those actions that lead from the state to frame x.

    Args:
        outcomes: int64 `(N, A)`: in row n, two actions have the same number if they lead to the same frame. The numbers
            are any, and mean nothing from row to row.
        probabilities: A of them, that add up to 1. Some may be 0.

    Returns:
        Bits, at most log2 A.

    Raises:
        ValueError: there are not as many probabilities as actions.
    """
    chances = torch.as_tensor(probabilities, dtype=torch.float64)
    if chances.shape != outcomes.shape[1:]:
        raise ValueError(f"{outcomes.shape[1]} actions and {len(chances)} probabilities")
    alike = outcomes[:, :, None] == outcomes[:, None, :]  # (N, A, A)
    shared = (alike * chances).sum(dim=2)  # (N, A): q of the frame that action a leads to
    surprise = torch.where(chances > 0, -shared.clamp(min=1e-300).log2(), 0.0)
    return float((surprise * chances).sum(dim=1).mean())
