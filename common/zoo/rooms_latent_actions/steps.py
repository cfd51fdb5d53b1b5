"""Steps of `rooms` with all that is known of them: frames, keys, states, and what every other key would have done."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from einops import rearrange

from common.data.arcade import Rooms, RoomsState, play
from common.data.arcade.fresh_keys import PLAY, FreshKeys
from common.evaluation.action_ceiling import outcomes
from common.models.latent_action import PAST
from common.tensor_ops import from_uint8

EVERY = 2  # frames between two steps of one play


@dataclass(frozen=True, eq=False)
class Steps:
    """N steps, each from the second frame of three to the third.

    Attributes:
        pixels: uint8 `(N, 3, 3, 64, 64)`: two frames of the past and the next one.
        actions: int64 `(N,)`.
        states: of the game in the second frame.
        outcomes: int64 `(N, 6)`: equal numbers are actions that lead to the same frame.
        probabilities: of the keys.
        with_slime: whether there are slimes.
    """

    pixels: torch.Tensor
    actions: torch.Tensor
    states: Sequence[RoomsState]
    outcomes: torch.Tensor
    probabilities: tuple[float, ...]
    with_slime: bool

    def __len__(self) -> int:
        return len(self.actions)

    def clips(self) -> torch.Tensor:
        """The pixels as clips `(N, 3, 3, 64, 64)` in [-1, 1]."""
        return from_uint8(self.pixels)

    def pick(self, numbers: Sequence[int]) -> "Steps":
        """Some of the steps."""
        numbers = [int(number) for number in numbers]
        tensors = {name: getattr(self, name)[numbers] for name in ("pixels", "actions", "outcomes")}
        return replace(self, states=[self.states[number] for number in numbers], **tensors)

    def effects(self) -> torch.Tensor:
        """What the keys came to, int64 `(N,)`: the first of all the actions that lead to the same frame.

        A "left" into a wall is "stay", and "jump left" in the air is "left".
        """
        pressed = self.outcomes.gather(1, self.actions[:, None])
        return (self.outcomes == pressed).int().argmax(dim=1)

    def apart(self) -> torch.Tensor:
        """Where all six actions lead to six frames: bool `(N,)`. The player stands, with room on both sides."""
        return self.outcomes.amax(dim=1) == self.outcomes.shape[1] - 1

    def has_room(self) -> torch.Tensor:
        """Where "stay", "left" and "right" lead to three frames: bool `(N,)`."""
        stay, left, right = self.outcomes[:, :3].T
        return (stay != left) & (left != right) & (stay != right)


def fresh_steps(count: int, split: str = "test", *, with_slime: bool, first: int = 50_000) -> Steps:
    """Steps of plays with fresh keys, every second one of each play.

    Args:
        count: N.
        split: of the rooms.
        with_slime: whether there are slimes.
        first: the number of the first play.
    """
    game, player = Rooms(split, with_slime=with_slime), FreshKeys()
    clips, actions, states = [], [], []
    while len(clips) < count:
        played = play(game, first, PLAY, player, states=True)
        first += 1
        for t in range(PAST - 1, PLAY - 1, EVERY):
            clips.append(played.frames[t - PAST + 1 : t + 2])
            actions.append(int(played.actions[t]))
            states.append(played.states[t])
    pixels = rearrange(torch.from_numpy(np.stack(clips[:count])), "n t h w c -> n c t h w").contiguous()
    table = outcomes(game, states[:count])
    keys = torch.tensor(actions[:count])
    return Steps(pixels, keys, states[:count], table, player.probabilities, with_slime)
