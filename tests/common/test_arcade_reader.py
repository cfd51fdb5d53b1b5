"""The arcade's readers are exact on what the engine draws, and honest about what it would not draw; so is the judge."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch
from einops import rearrange

from common.data.arcade import Catch, Rooms, RoomsState, mixed_player, play
from common.data.arcade.players import RandomKeys
from common.data.arcade.rooms import EVENTS
from common.data.arcade.rooms_player import RoomsScript
from common.data.arcade.tiles import BRICK, COIN, EMPTY, PALETTE, PLAYER_MASK, PLAYER_PAINTING
from common.evaluation.arcade_reader import UNKNOWN, read_catch, read_catch_state, read_rooms, read_state
from common.evaluation.arcade_rules import PARTS, rule_agreement


def clip_of(frames) -> torch.Tensor:
    return rearrange(torch.from_numpy(np.asarray(frames)).float() / 127.5 - 1, "t h w c -> c t h w")


def seen(state: RoomsState) -> tuple:
    return state.tiles, (state.x, state.y), 1, state.slime and state.slime[:2], state.has_key, state.coins


def found(reading) -> tuple:
    return reading.tiles, reading.player, reading.num_players, reading.slime, reading.has_key, reading.coins


@pytest.fixture(scope="module")
def plays():
    """Plays of both splits by the mixed player and by other keys, with every event, and how they are read."""
    items = [play(Rooms(split), seed, 400, mixed_player("rooms"), states=True)
             for split in ("train", "test") for seed in range(20_050, 20_053)]  # fmt: skip
    items.append(play(Rooms(), 20_060, 400, RandomKeys(6), states=True))
    assert Counter(name for item in items for names in item.events for name in names).keys() == set(EVENTS)
    return [(item, read_rooms(clip_of(item.frames))) for item in items]


@pytest.fixture(scope="module")
def long_play(plays):
    return plays[1]


# ------------------------------------------------------------------------------------------------ the readers


def test_every_frame_of_the_engine_is_read_without_an_error(plays):
    """2,800 frames with every kind of event."""
    for item, readings in plays:
        assert [found(reading) for reading in readings] == [seen(state) for state in item.states]


def test_two_frames_give_the_velocities(plays):
    """All that decides the next step, but for the dice; a slime that has just turned is told by the frame after."""
    turned = 0
    for item, readings in plays:
        for t in range(1, len(readings)):
            state, due = read_state(readings[t], readings[t - 1]), item.states[t]
            assert state.velocity == due.velocity, (t, item.events[t - 1])
            if "door" not in item.events[t - 1] and due.slime:
                assert abs(state.slime[2]) == 1
                turned += state.slime != due.slime
    assert turned == 0


def test_the_script_plays_from_pixels_as_it_plays_from_states():
    item = play(Rooms("test"), 20_070, 300, RoomsScript())
    readings, script = read_rooms(clip_of(item.frames)), RoomsScript()
    script.reset(20_070)
    states = [read_state(now, before) for before, now in zip([None, *readings], readings)]
    assert [script(state) for state in states[:-1]] == item.actions.tolist()


def test_the_number_of_frames_read_at_once_changes_nothing(long_play):
    item, readings = long_play
    assert [found(read_rooms(clip_of(item.frames[t : t + 1]))[0]) for t in range(0, 60, 7)] == [
        found(reading) for reading in readings[:60:7]
    ]


def test_every_frame_of_catch_is_read_without_an_error():
    for split in ("train", "test"):
        item = play(Catch(split), 20_007, 600, mixed_player("catch"), states=True)
        readings = read_catch(clip_of(item.frames))
        for before, now, state in zip([None, *readings], readings, item.states):
            assert (now.ball, now.paddle, now.num_balls) == ((state.ball_x, state.ball_y), state.paddle, 1)
            if state.ball_y > 1 and before:
                assert replace(read_catch_state(now, before), dice=state.dice) == state


@pytest.mark.parametrize("std, brightness", [(0.1, 0.0), (0.2, 0.0), (0.0, 0.1), (0.0, -0.1)])
def test_noise_and_brightness_change_little(long_play, std, brightness):
    item, _ = long_play
    clip = clip_of(item.frames[::4])
    noise = torch.randn(clip.shape, generator=torch.Generator().manual_seed(0))
    readings = read_rooms((clip + std * noise + brightness).clamp(-1, 1))
    right = [found(reading) == seen(state) for reading, state in zip(readings, item.states[::4])]
    assert np.mean(right) > 0.97


def paint_player(frame, x, y, opacity):
    frame = frame.astype(float)
    there = frame[y : y + 7, x : x + 6]
    there[PLAYER_MASK] += opacity * (PALETTE[PLAYER_PAINTING][PLAYER_MASK] - there[PLAYER_MASK])
    return frame.round().astype(np.uint8)


def bare(**changes) -> Rooms:
    """A room with a floor and a platform, and nothing else."""
    tiles = bytearray(56)
    tiles[48:] = bytes([BRICK]) * 8
    tiles[34:37] = bytes([BRICK]) * 3
    game = Rooms()
    game.set_state(RoomsState(bytes(tiles), **({"x": 0, "y": 49} | changes)))
    return game


def test_players_are_counted():
    one = bare(x=0).frame()
    two = paint_player(one, 30, 25, 1.0)
    three = paint_player(two, 50, 33, 1.0)
    touching = paint_player(one, 6, 49, 1.0)
    assert [reading.num_players for reading in read_rooms(clip_of([one, two, three, touching]))] == [1, 2, 3, 2]


def test_a_faded_player_is_seen_by_half():
    game = bare(x=0)
    empty = game.frame()
    empty[49:56, :6] = PALETTE[0]
    frames = [paint_player(empty, 20, 30, opacity) for opacity in (0.0, 0.3, 0.7, 1.0)]
    readings = read_rooms(clip_of(frames))
    assert [reading.player for reading in readings] == [None, None, (20, 30), (20, 30)]
    assert readings[2].opacity == pytest.approx(0.7, abs=0.02) and readings[3].opacity == pytest.approx(1, abs=0.02)
    assert read_state(readings[0]) is None


def test_a_mixture_of_tiles_is_unknown():
    game = bare(x=0)
    coin = bytearray(game.state().tiles)
    coin[20] = COIN
    clean, other = game.frame(), bare(x=0)
    other.set_state(replace(game.state(), tiles=bytes(coin)))
    frames = [(clean + part * (other.frame().astype(float) - clean)).round() for part in (0.0, 0.2, 0.5, 0.8, 1.0)]
    readings = read_rooms(clip_of(frames))
    assert [reading.tiles[20] for reading in readings] == [EMPTY, EMPTY, UNKNOWN, COIN, COIN]
    grey = clean.copy()
    grey[24:32, 32:40] = 128
    assert read_rooms(clip_of([grey]))[0].tiles[20] == UNKNOWN


def test_a_gap_between_the_coins_of_the_hud_is_no_number():
    frame = bare(coins=3, has_key=True).frame()
    reading = read_rooms(clip_of([frame]))[0]
    assert (reading.has_key, reading.coins) == (True, 3)
    frame[:8, 16:24] = frame[:8, 48:56]
    assert read_rooms(clip_of([frame]))[0].coins is None


def test_whatever_the_pixels_are_it_answers():
    generator = torch.Generator().manual_seed(0)
    garbage = {
        "noise": torch.randn(3, 4, 64, 64, generator=generator),
        "black": -torch.ones(3, 4, 64, 64),
        "grey": torch.zeros(3, 4, 64, 64),
        "nan": torch.full((3, 4, 64, 64), float("nan")),
    }
    for name, clip in garbage.items():
        readings = read_rooms(clip)
        assert all(reading.player is None for reading in readings), name
        assert not rule_agreement(readings, [0, 0, 0]).all.any()
    with pytest.raises(ValueError, match=r"\(3, 4, 32, 32\)"):
        read_rooms(torch.zeros(3, 4, 32, 32))
    with pytest.raises(ValueError, match=r"\(3, 4, 64, 64\)"):
        read_catch(torch.zeros(3, 4, 64, 64))


# ------------------------------------------------------------------------------------------------ the judge


def test_the_engine_agrees_with_its_own_rules(plays):
    for item, readings in plays:
        agreement = rule_agreement(readings, item.actions)
        assert all(agreement.rate(part) == 1 for part in (*PARTS, "all"))
        for event in ("coin", "bag", "key", "door", "locked", "bump"):  # what the slime does next is random
            due, told = ([event in names for names in events] for events in (item.events[1:], agreement.events))
            assert due == told, event


def test_wrong_keys_agree_as_often_as_the_engine_would_do_the_same(long_play):
    """The player's agreement under other keys is exactly the chance that another key leads to the same pixel."""
    item, readings = long_play
    wrong = (item.actions + np.random.default_rng(0).integers(1, 6, len(item.actions))) % 6
    same, game = [], Rooms()
    for t in range(1, len(item.actions)):
        if "door" in item.events[t]:
            continue
        game.set_state(item.states[t])
        events = game.step(int(wrong[t]))
        same.append(
            "door" not in events and (game.state().x, game.state().y) == (item.states[t + 1].x, item.states[t + 1].y)
        )
    rate = rule_agreement(readings, wrong).rate("player")
    assert rate == pytest.approx(np.mean(same), abs=0.01) and rate < 0.35


def test_a_player_that_teleports_is_wrong_there_and_nowhere_else():
    game = bare(x=0)
    frames, actions = [game.frame()], [2] * 20
    for action in actions:
        game.step(action)
        if len(frames) == 10:
            game.set_state(replace(game.state(), x=game.state().x + 14))
        frames.append(game.frame())
    agreement = rule_agreement(read_rooms(clip_of(frames)), actions)
    assert np.flatnonzero(~agreement.player).tolist() == [8]  # from frame 9 to frame 10
    assert agreement.tiles.all() and agreement.hud.all() and agreement.slime.all()


def test_two_players_are_wrong_as_long_as_there_are_two():
    game, actions = bare(x=0), [2] * 12
    frames = [game.frame()]
    for action in actions:
        game.step(action)
        frames.append(game.frame() if len(frames) not in (5, 6) else paint_player(game.frame(), 45, 20, 1.0))
    wrong = np.flatnonzero(~rule_agreement(read_rooms(clip_of(frames)), actions).player).tolist()
    assert set(wrong) >= {3, 4} and set(wrong) <= {3, 4, 5, 6}


def coin_play(stays: bool, counts: bool):
    """A player walks over a coin, which may stay, and which the HUD may count: the wrong steps in tiles and HUD."""
    game, actions = bare(x=0), [2] * 12
    tiles = bytearray(game.state().tiles)
    tiles[43] = COIN
    game.set_state(replace(game.state(), tiles=bytes(tiles), coins=2))
    frames = [game.frame()]
    for action in actions:
        game.step(action)
        shown, state = Rooms(), game.state()
        shown.set_state(
            replace(state, tiles=bytes(tiles) if stays else state.tiles, coins=state.coins if counts else 2)
        )
        frames.append(shown.frame())
    agreement = rule_agreement(read_rooms(clip_of(frames)), actions)
    assert agreement.player.all()
    return (~agreement.tiles).sum(), (~agreement.hud).sum(), agreement


def test_a_coin_that_stays_or_does_not_count_is_wrong():
    tiles, hud, agreement = coin_play(stays=False, counts=True)
    assert (tiles, hud) == (0, 0) and agreement.rate("hud", event="coin") == 1
    tiles, hud, agreement = coin_play(stays=False, counts=False)
    assert (tiles, hud) == (0, 1) and agreement.rate("hud", event="coin") == 0
    tiles, hud, agreement = coin_play(stays=True, counts=True)
    assert tiles > 1 and hud >= tiles - 1  # as long as the player is over it, the coin should be taken again


def test_behind_a_door_a_whole_room_is_due(plays):
    """Any new room will do; the old one, or one that keeps the key, will not."""
    item, readings = next((item, r) for item, r in plays if any("door" in events for events in item.events[2:300]))
    t = next(t for t in range(2, 300) if "door" in item.events[t])
    window, actions = readings[t - 1 : t + 2], item.actions[t - 1 : t + 1]
    assert rule_agreement(window, actions).all.all()
    other = Rooms("test")
    other.reset(5)
    other.set_state(replace(other.state(), coins=readings[t].coins))
    new = read_rooms(clip_of([other.frame()]))[0]
    assert rule_agreement([*window[:2], new], actions).all.all()
    assert not rule_agreement([*window[:2], window[1]], actions).hud.any()
    other.set_state(replace(other.state(), has_key=True))
    kept = read_rooms(clip_of([other.frame()]))[0]
    assert not rule_agreement([*window[:2], kept], actions).hud.any()
    grey = replace(new, tiles=bytes([UNKNOWN]) * 8 + new.tiles[8:])
    assert not rule_agreement([*window[:2], grey], actions).tiles.any()


def test_a_slime_that_vanishes_or_leaps_is_wrong():
    game, actions = bare(x=0, slime=(30, 51, 1)), [0] * 12
    frames = [game.frame()]
    for action in actions:
        game.step(action)
        frames.append(game.frame())
    gone, leaps = frames.copy(), frames.copy()
    gone[6] = bare(x=0).frame()
    leaps[6] = bare(x=0, slime=(46, 51, 1)).frame()
    for broken in (gone, leaps):
        agreement = rule_agreement(read_rooms(clip_of(broken)), actions)
        assert np.flatnonzero(~agreement.slime).tolist() == [4, 5]
        assert agreement.player.all()


def test_the_judge_wants_numbers_that_fit(long_play):
    _, readings = long_play
    with pytest.raises(ValueError, match="got 5 and 5"):
        rule_agreement(readings[:5], [0] * 5)
    with pytest.raises(ValueError, match="velocity"):
        rule_agreement(readings[:5], [0] * 4).rate("velocity")
