"""The arcade's worlds: a seed decides a play, a state decides the future, and a recording follows from its number."""

import sys
import time
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from common.data.arcade import Catch, Rooms, arcade_recording, mixed_player, play, record
from common.data.arcade.dice import Dice
from common.data.arcade.doom_game import Doom
from common.data.arcade.gym_game import GymGame
from common.data.arcade.players import RandomKeys
from common.data.arcade.rooms import EVENTS
from common.data.arcade.rooms_player import RoomsScript

GAMES = {"rooms": Rooms, "catch": Catch}


# ------------------------------------------------------------------------------------------------ the protocol


@pytest.mark.parametrize("name", GAMES)
def test_a_seed_decides_a_play(name):
    one, same, other = (play(GAMES[name](), seed, 300, mixed_player(name)) for seed in (3, 3, 5))
    assert (one.frames == same.frames).all() and (one.actions == same.actions).all() and one.events == same.events
    assert (one.frames[0] != other.frames[0]).any()


@pytest.mark.parametrize("name", GAMES)
def test_a_state_decides_the_future(name):
    """Setting a game, also another one, to the state of a frame changes no frame that follows."""
    game, keys = GAMES[name](), RandomKeys(len(GAMES[name].actions))
    whole = play(game, 11, 400, mixed_player(name), states=True)
    for start in (0, 57, 200):
        other = GAMES[name]()
        other.reset(99)
        for _ in range(30):
            other.step(keys(None))
        other.set_state(whole.states[start])
        assert other.state() == whole.states[start]
        for t in range(start, 399):
            assert (other.frame() == whole.frames[t]).all()
            assert other.step(int(whole.actions[t])) == whole.events[t]


@pytest.mark.parametrize("name", GAMES)
def test_a_frame_is_the_callers_to_keep(name):
    game = GAMES[name]()
    frame, painting = game.frame(), game.painting()
    kept = frame.copy(), painting.copy()
    for action in (2, 2, 1, 2):
        game.step(action)
    assert (frame == kept[0]).all() and (painting == kept[1]).all() and frame.dtype == np.uint8
    frame[:] = painting[:] = 0
    assert game.frame().any() and game.painting().any()


@pytest.mark.parametrize("name", GAMES)
def test_mistakes_are_named(name):
    game = GAMES[name]()
    for action in (-1, len(game.actions)):
        with pytest.raises(ValueError, match=str(action)):
            game.step(action)
    with pytest.raises(ValueError, match="held_out"):
        GAMES[name]("held_out")
    with pytest.raises(ValueError, match="num_frames=0"):
        play(game, 0, 0, RandomKeys(3))


def test_states_that_cannot_be_are_refused():
    state = Rooms().state()
    for wrong in ({"tiles": state.tiles[1:]}, {"tiles": bytes([9]) + state.tiles[1:]}, {"x": 59}, {"y": 7},
                  {"slime": (57, 51, 1)}, {"coins": 8}):  # fmt: skip
        with pytest.raises(ValueError):
            Rooms().set_state(replace(state, **wrong))
    with pytest.raises(ValueError, match="outside"):
        Catch().set_state(replace(Catch().state(), ball_x=31))


def test_dice_are_fair_and_keyed():
    dice = Dice(1, 2)
    counts = Counter(dice.below(6) for _ in range(12_000))
    assert counts.keys() == set(range(6)) and max(abs(count - 2000) for count in counts.values()) < 250
    assert [Dice(1, 2).bits(), Dice(2, 1).bits()] == [Dice(1, 2).bits(), Dice(2, 1).bits()]
    assert len({Dice(*key).bits() for key in [(), (0,), (0, 0), (1,), (1, 0), (0, 1)]}) == 6
    assert sorted(Dice(3).sample(range(9), 9)) == list(range(9))


# ------------------------------------------------------------------------------------------------ players and data


def test_every_event_is_in_the_data():
    """Key pick-ups of random keys alone are too rare to learn from; the mix has every event, and often."""
    events = arcade_recording("rooms", 10_000).events
    rates = {name: events.get(name, 0) / 10 for name in EVENTS}  # per 1,000 frames
    assert rates["key"] > 8 and rates["door"] > 7 and rates["coin"] > 10 and rates["bag"] > 0.5
    assert min(rates[name] for name in ("locked", "bounce", "bump", "turn")) > 10


def test_the_script_leaves_every_room():
    """In each of 10 plays of 500 frames it opens at least four doors."""
    for seed in range(10):
        item = play(Rooms("test"), seed, 500, RoomsScript())
        assert sum("door" in events for events in item.events) >= 4, seed


def test_five_thousand_frames_per_second_are_drawn():
    """Measured: 14,000 to 21,000 in RGB; the bound leaves room for a busy machine."""
    game, keys = Rooms(), RandomKeys(6)
    began = time.process_time()
    for _ in range(3000):
        game.step(keys(None))
        game.frame()
    assert 3000 / (time.process_time() - began) > 5000


@pytest.mark.parametrize("name", GAMES)
def test_an_action_belongs_between_its_frame_and_the_next(name):
    """`actions[:, t]` takes frame t to frame t + 1: replayed from the state, window by window."""
    data = arcade_recording(name, 1000, window=7)
    batch = data.batch(range(12))
    assert batch.clips().shape == (12, 3, 7, *data.frames.shape[2:4]) and batch.actions.shape == (12, 6)
    assert batch.clips().min() >= -1 and batch.clips().max() <= 1 and batch.actions.dtype == torch.int64
    whole = play(GAMES[name](), 1, 500, mixed_player(name), states=True)
    recorded = data.play(1)
    assert (recorded.pixels[0].permute(1, 2, 3, 0).numpy() == whole.frames).all()
    assert recorded.actions[0].tolist() == whole.actions.tolist()
    game = GAMES[name]()
    for t in range(0, 499, 7):
        game.set_state(whole.states[t])
        game.step(int(recorded.actions[0, t]))
        assert (game.frame() == recorded.pixels[0, :, t + 1].permute(1, 2, 0).numpy()).all()


def test_a_window_depends_on_its_number_alone():
    data = arcade_recording("catch", 1500)
    together, alone = data.batch([5, 900, 17]), data.batch([900])
    assert (together.pixels[1] == alone.pixels[0]).all() and (together.actions[1] == alone.actions[0]).all()
    assert data.with_window(9).batch([1]).pixels.shape[2] == 9
    with pytest.raises(ValueError, match="501"):
        data.with_window(501)


def test_a_game_without_a_palette_gives_the_same_recording():
    class Plain:
        """`catch`, without its palette."""

        def __init__(self):
            self.game = Catch()
            self.name, self.actions = self.game.name, self.game.actions
            self.reset, self.step, self.frame, self.state = (
                getattr(self.game, n) for n in ("reset", "step", "frame", "state")
            )

    plain, painted = (record(game, RandomKeys(3), 2, 40, progress=False) for game in (Plain(), Catch()))
    assert plain.frames.ndim == 5 and painted.frames.ndim == 4
    assert (plain.batch(range(6)).pixels == painted.batch(range(6)).pixels).all()


# ------------------------------------------------------------------------------------------------ other games


@pytest.mark.parametrize("package, make", [("vizdoom", Doom), ("gymnasium", lambda: GymGame("CartPole-v1"))])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, package, make):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{package} is not installed.*\[games\]"):
        make()


class Counting:
    """As an environment of gymnasium: a bar that grows by the action, for 9 steps."""

    class Space:
        n = 3

    action_space = Space()

    def reset(self, seed=None):
        self.random = self.random if seed is None else np.random.default_rng(seed)
        self.length, self.age = int(self.random.integers(1, 5)), 0
        return None, {}

    def step(self, action):
        self.length, self.age = self.length + int(action), self.age + 1
        return None, float(action == 2) - float(action == 0), False, self.age == 9, {}

    def render(self):
        picture = np.zeros((20, 100, 3), dtype=np.uint8)
        picture[:, : 5 * self.length] = 255
        return picture


def test_an_environment_is_a_game():
    game = GymGame(Counting(), height=4, width=20)
    keys = RandomKeys(3)
    one, same = (play(game, 2, 40, keys) for _ in range(2))
    assert one.frames.shape == (40, 4, 20, 3) and (one.frames == same.frames).all()
    assert sum("end" in events for events in one.events) == 4
    assert {event for events in one.events for event in events} == {"reward", "penalty", "end"}
    state, actions = game.state(), [1, 2, 0, 1, 2, 2, 1, 0, 1, 2, 1]
    first = [(game.step(action), game.frame().tolist()) for action in actions]
    game.set_state(state)
    assert first == [(game.step(action), game.frame().tolist()) for action in actions]
    with pytest.raises(ValueError, match="3 actions"):
        GymGame(Counting(), actions=("left", "right"))
