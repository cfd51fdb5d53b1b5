"""Worlds for the player's tests that look like a trained one: the engine set to what its reader sees, with faults."""

import numpy as np

from common.data.arcade import Catch, Rooms
from common.play.referee import CatchReferee, RoomsReferee


class DreamedGame:
    """A world model that never errs, but where it is told to.

    Args:
        name: `rooms` or `catch`.
        spoil: `spoil(game, number)` before frame `number` is drawn changes the game's state.
        paint: `paint(frame, number)` changes the picture alone.
    """

    def __init__(self, name="rooms", *, spoil=None, paint=None, context=4):
        self.game_class, self.referee = (Rooms, RoomsReferee()) if name == "rooms" else (Catch, CatchReferee())
        self.spoil, self.paint, self.context = spoil, paint, context
        game = self.game_class()
        self.num_actions, (self.height, self.width) = len(game.actions), game.frame().shape[:2]
        self.starts = []

    def start(self, frames, actions, seed=0, num_steps=2, context_noise=0.0):
        assert len(actions) == len(frames) - 1, "n frames have n - 1 actions"
        assert frames.dtype == np.uint8 and len(frames) == self.context
        self.starts.append((seed, num_steps, context_noise))
        return DreamedSession(self, frames, num_steps, context_noise)


class DreamedSession:
    """Its rooms and serves are its own: the dice of the real game are nowhere in the pixels."""

    def __init__(self, world, frames, num_steps, context_noise):
        self.world, self.num_steps, self.context_noise, self.number = world, num_steps, context_noise, 0
        before, now = (world.referee.read(frame) for frame in frames[-2:])
        self.game = world.game_class()
        self.game.set_state(world.referee.state(now, before))

    def step(self, action):
        self.number += 1
        self.game.step(action)
        if self.world.spoil:
            self.world.spoil(self.game, self.number)
        frame = self.game.frame()
        # The sampler's settings change the picture, a little, so that a replay has to get them right.
        frame[-1, -1, 0] = min(self.num_steps + int(100 * self.context_noise), 255)
        return frame if self.world.paint is None else self.world.paint(frame, self.number)
