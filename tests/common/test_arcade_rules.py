"""The rules of rooms and catch hold in every frame, and the training and test splits share no room and no serve."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from common.data.arcade import Catch, Rooms, RoomsState, mixed_player, play, record
from common.data.arcade.catch import LAST_ROW, CatchScript, is_held_out
from common.data.arcade.players import RandomKeys
from common.data.arcade.room_graph import brick_mask
from common.data.arcade.rooms import ACTIONS, BOUNCE, EVENTS
from common.data.arcade.tiles import BRICK, COIN, DOOR, EMPTY, KEY

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


def test_the_actions_are_all_pairs_of_a_walk_and_a_jump():
    ends = {}
    for name in ACTIONS:
        game = room(x=24)
        press(game, name)
        ends[name] = (game.state().x - 24, game.state().y - 49)
    assert ends == {"stay": (0, 0), "left": (-2, 0), "right": (2, 0),
                    "jump": (0, -6), "jump left": (-2, -6), "jump right": (2, -6)}  # fmt: skip


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
