"""The arcade's worlds: a seed decides a play, a state decides the future, and the rules hold in every frame."""

import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from common.data.arcade import Catch, Rooms, RoomsState, arcade_recording, mixed_player, play, record
from common.data.arcade.catch import LAST_ROW, CatchScript, is_held_out
from common.data.arcade.dice import Dice
from common.data.arcade.doom_game import Doom
from common.data.arcade.gym_game import GymGame
from common.data.arcade.players import RandomKeys
from common.data.arcade.room_graph import brick_mask
from common.data.arcade.rooms import ACTIONS, BOUNCE, EVENTS
from common.data.arcade.rooms_player import RoomsScript
from common.data.arcade.tiles import BRICK, COIN, DOOR, EMPTY, KEY

GAMES = {"rooms": Rooms, "catch": Catch}
LETTERS = {".": EMPTY, "o": COIN, "k": KEY, "d": DOOR, "#": BRICK}


def room(*rows: str, **state) -> Rooms:
    """A game set to a room drawn as text, the player standing at the left of the floor."""
    rows = ["........"] * (6 - len(rows)) + [*rows, "########"]
    tiles = bytes(LETTERS[letter] for row in rows for letter in row)
    game = Rooms()
    game.set_state(RoomsState(tiles, **({"x": 0, "y": 49} | state)))
    return game


def press(game, *names: str) -> list[str]:
    """The events of these actions, one after the other."""
    return [event for name in names for event in game.step(game.actions.index(name))]


@pytest.fixture(scope="module")
def plays():
    """Plays of both splits with every kind of event, their states kept."""
    found = [play(Rooms(split), seed, 500, mixed_player("rooms"), states=True)
             for split in ("train", "test") for seed in range(6)]  # fmt: skip
    events = Counter(name for item in found for names in item.events for name in names)
    assert events.keys() == set(EVENTS)
    return found


def steps(plays):
    """Each step of the plays: the state before, the action, the events, the state after."""
    for item in plays:
        yield from zip(item.states, item.actions, item.events, item.states[1:])


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


# ------------------------------------------------------------------------------------------------ rooms: the rules


def test_walls_are_never_entered(plays):
    for item in plays:
        for state in item.states:
            grid = np.pad(state.grid, ((1, 0), (0, 0)), constant_values=BRICK) == BRICK
            covered = grid.repeat(8, 0).repeat(8, 1)
            assert not covered[state.y : state.y + 7, state.x : state.x + 6].any()
            if state.slime:
                x, y, _ = state.slime
                assert not covered[y : y + 5, x : x + 8].any() and covered[y + 5, x : x + 8].all()


def test_each_coin_goes_to_the_hud_exactly_once(plays):
    """Coins in the room and in the HUD together stay the same, but for the eighth, which empties the HUD."""
    taken = 0
    for before, _, events, after in steps(plays):
        if "door" in events:
            continue
        gone = before.tiles.count(COIN) - after.tiles.count(COIN)
        assert gone == events.count("coin") + events.count("bag")
        assert after.coins == (before.coins + gone) % 8 and ("bag" in events) == (after.coins < before.coins)
        taken += gone
    assert taken > 50


def test_a_door_opens_with_the_key_alone_and_takes_it(plays):
    opened = 0
    for before, _, events, after in steps(plays):
        if "door" in events:
            assert before.has_key or "key" in events
            assert not after.has_key and after.tiles.count(KEY) == after.tiles.count(DOOR) == 1
            opened += 1
        else:
            assert after.has_key == (before.has_key or "key" in events)
            assert before.tiles.count(BRICK) == after.tiles.count(BRICK) and after.tiles.count(DOOR) == 1
    assert opened > 30
    closed, closing = room("d......."), room("d.......", has_key=True)
    assert press(closed, "stay") == ["locked"] and press(closing, "stay") == ["door"]


def test_the_key_is_taken_by_touch():
    game = room(".k......", x=0)
    assert press(game, "right") == [] and press(game, "right") == ["key"]
    assert game.state().has_key and KEY not in game.state().tiles


def test_a_jump_is_21_pixels_high_and_a_ceiling_stops_it():
    game, path = room(), [49]
    press(game, "jump")
    for _ in range(14):
        path.append(game.state().y)
        press(game, "stay")
    assert path == [49, 43, 38, 34, 31, 29, 28, 28, 29, 31, 34, 38, 43, 49, 49]
    low = room("#.......", "........")
    assert press(low, "jump") == ["bump"] and low.state().y == 48 and low.state().velocity == 0
    assert press(room("........", "........"), "jump right", "jump", "jump") == []  # no second jump in the air


def test_a_wall_and_the_edge_stop_a_walk():
    game = room("..#.....")
    press(game, *["right"] * 9)
    assert game.state().x == 10
    press(game, *["left"] * 9)
    assert game.state().x == 0


def test_a_touch_of_the_slime_throws_up():
    game = room(x=0, slime=(4, 51, -1))
    assert "bounce" in press(game, "stay")
    assert game.state().velocity == BOUNCE and game.state().y == 49
    press(game, "stay")
    assert game.state().y == 45


def test_the_slime_turns_at_random_once_in_24_frames():
    game, turns = room(slime=(24, 51, 1), x=0, y=8), 0
    for _ in range(6000):
        game.set_state(replace(game.state(), x=0, y=8))
        turns += press(game, "stay").count("turn")
    assert abs(turns - 250) < 60
    none = Rooms(with_slime=False)
    for seed in range(20):
        none.reset(seed)
        assert none.state().slime is None


def test_the_slime_stays_on_its_walk():
    game = room("o......#", slime=(24, 51, 1), x=0, y=8)
    places = []
    for _ in range(400):
        game.set_state(replace(game.state(), x=0, y=8))
        press(game, "stay")
        places.append(game.state().slime[0])
    assert (min(places), max(places)) == (8, 48) and max(abs(a - b) for a, b in pairwise(places)) == 1


def test_one_frame_shows_all_but_velocities(plays):
    """No two states that differ in anything else look the same."""
    seen = {}
    for item in plays:
        for frame, state in zip(item.frames, item.states):
            visible = replace(state, velocity=0, dice=0, slime=state.slime and state.slime[:2])
            assert seen.setdefault(frame.tobytes(), visible) == visible
    assert len(seen) > 2000


def test_the_splits_share_no_arrangement_of_bricks(plays):
    """Rooms at the start and rooms behind doors."""
    masks = {}
    for split in ("train", "test"):
        game = Rooms(split)
        for seed in range(300):
            game.reset(seed)
            masks.setdefault(split, set()).add(brick_mask(bytes(8) + game.state().tiles))
    for k, item in enumerate(plays):
        masks["train" if k < 6 else "test"] |= {brick_mask(bytes(8) + state.tiles) for state in item.states}
    assert not masks["train"] & masks["test"]
    assert min(map(len, masks.values())) > 280


# ------------------------------------------------------------------------------------------------ catch


def test_a_ball_is_caught_over_the_paddle_alone():
    """Every ball ends once, 25 frames after its serve, with the event that its place says."""
    item = play(Catch(), 4, 1000, mixed_player("catch"), states=True)
    for before, _, events, after in steps([item]):
        ended = after.ball_y == LAST_ROW
        over = after.paddle - 2 < after.ball_x < after.paddle + 6
        assert events == ((("catch",) if over else ("miss",)) if ended else ())
        assert after.ball_y == (1 if before.ball_y == LAST_ROW else before.ball_y + 1)
    assert Counter(events for events in item.events if events).keys() == {("catch",), ("miss",)}


def test_the_script_misses_no_ball_and_random_keys_miss_most():
    script, keys = (record(Catch(), player, 5, 500, progress=False).events for player in (CatchScript(), RandomKeys(3)))
    assert "miss" not in script and script["catch"] > 90
    assert keys["miss"] > 2 * keys["catch"] > 0


def test_the_serves_of_the_splits_differ():
    serves = {}
    for split in ("train", "test"):
        item = play(Catch(split), 0, 8000, RandomKeys(3), states=True)
        serves[split] = {(state.ball_x, state.drift) for state in item.states if state.ball_y == 1}
        assert {is_held_out(*serve) for serve in serves[split]} == {split == "test"}
    assert not serves["train"] & serves["test"] and len(serves["test"]) >= 5


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


def test_the_actions_are_all_pairs_of_a_walk_and_a_jump():
    ends = {}
    for name in ACTIONS:
        game = room(x=24)
        press(game, name)
        ends[name] = (game.state().x - 24, game.state().y - 49)
    assert ends == {"stay": (0, 0), "left": (-2, 0), "right": (2, 0),
                    "jump": (0, -6), "jump left": (-2, -6), "jump right": (2, -6)}  # fmt: skip
