"""Long dreams with one thing broken in each: what the arms do to the sampler, and what a curve says."""

import numpy as np
import pytest
import torch

from common.data.arcade import Rooms, arcade_recording, mixed_player, record
from common.data.arcade.tiles import PLAYER_HEIGHT, TILE
from common.evaluation.arcade_reader import read_rooms
from common.models.world_unet import PRESETS, WorldUNet
from common.pipelines.world import WorldModel
from common.streaming.world import sample_next
from common.zoo.arcade_rooms import trials
from common.zoo.arcade_rooms.measures import dream
from common.zoo.arcade_rooms.study import SHIPPED, WITHOUT_MODEL, curve, samplers, squared_error, study

K, GAME, LAST = 4, *WITHOUT_MODEL


@pytest.fixture(scope="module")
def model() -> WorldUNet:
    """A small one whose answers are not all alike."""
    torch.manual_seed(0)
    model = WorldUNet(context=K, **PRESETS["ci"])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def recording():
    return arcade_recording("rooms", 1_000, "test")


@pytest.fixture
def given(recording):
    """A past of two games, and keys that differ."""
    batch = recording.windows([(0, 30), (1, 90)], K)
    return batch.clips(), torch.tensor([[0, 1, 2, 5], [3, 3, 1, 2]])


def noise() -> list[torch.Generator]:
    return [torch.Generator().manual_seed(k) for k in range(2)]


def made(arm, model, past, actions, level=0.2):
    return samplers()[arm](model, past, actions, 2, context_noise=level, generator=noise())


def test_each_arm_breaks_one_thing(model, given):
    past, actions = given
    usual = made(SHIPPED, model, past, actions)
    assert torch.equal(usual, sample_next(model, past, actions, 2, context_noise=0.2, generator=noise()))
    sharper = made("three steps", model, past, actions)
    assert torch.equal(sharper, sample_next(model, past, actions, 3, context_noise=0.2, generator=noise()))
    assert torch.equal(
        made("no noise on the past", model, past, actions), sample_next(model, past, actions, 2, generator=noise())
    )
    assert torch.equal(made("shuffled keys", model, past, actions.roll(1, dims=0)), made(SHIPPED, model, past, actions))
    assert torch.equal(made(LAST, model, past, actions), past[:, :, -1])
    empty = squared_error(model, past, actions, 3, context_noise=0.0, generator=noise())
    assert torch.equal(empty, sample_next(model, past, actions, 1, eps=torch.zeros(2, 3, 64, 64)))


def test_a_frozen_past_is_the_first_one_for_ever(model, given):
    past, actions = given
    frozen = samplers()["frozen past"]
    options = {"context_noise": 0.0}
    first = frozen(model, past, actions, 1, generator=noise(), **options)
    later = frozen(model, torch.zeros_like(past), actions, 1, generator=noise(), **options)
    assert torch.equal(first, later)
    other = frozen(model, past, (actions + 1) % 6, 1, generator=noise(), **options)
    assert not torch.equal(first, other)  # the keys are those of the moment


def test_the_game_obeys_its_rules_and_the_last_frame_does_not(model):
    found = study(model, 2, 30, arms=WITHOUT_MODEL, width=7)
    assert list(found["arms"]) == list(WITHOUT_MODEL) and found["num_games"] == 2 and found["width"] == 7
    game, last = (found["arms"][name] for name in WITHOUT_MODEL)
    assert game["rule_all"] == game["one_player"] == 1 and set(game["curve"]["all"]) == {1.0}
    assert last["rule_all"] < 0.9 and last["rule_grid"] == 1 and last["num_hud_events"] == 0


def test_all_arms_and_a_twin_come_with_progress(model):
    told = []
    found = study(model, 2, 3, twins={"by squared error": (model, squared_error)}, width=2, progress=told.append)
    assert list(found["arms"]) == [*samplers(), "by squared error"]
    assert told == sorted(told) and told[-1] == 1


def test_what_cannot_be_studied_is_refused(model):
    with pytest.raises(ValueError, match="2 to 16 games, got 1"):
        study(model, 1, 5)
    with pytest.raises(ValueError, match="no arms nothing"):
        study(model, 2, 5, arms=["nothing"])


def test_a_curve_has_every_step_in_one_bin(model):
    plays = record(Rooms("test"), mixed_player("rooms"), 2, 5, window=K, progress=False)
    dreams = dream(model, plays, 2, 11, sampler=samplers()[LAST])
    bins = curve(dreams, 5)
    steps = np.mean([one.agreement().player for one in dreams], axis=0)
    assert len(steps) == 13 and len(bins["player"]) == 3
    assert np.allclose(bins["player"], [steps[:5].mean(), steps[5:10].mean(), steps[10:].mean()], atol=1e-4)


# ----------------------------------------------------------------------------------------------------------- trials


def test_a_script_at_a_session_plays_what_it_sees(model, recording):
    world = WorldModel(model, torch.float32)
    session = trials.begin(world, recording, 1, 20)
    frames = trials.script_plays(session, 3)
    again = trials.begin(world, recording, 1, 20)
    assert len(frames) == 4 and np.array_equal(frames[0], again.frame)
    assert torch.equal(trials.clip_of(frames[:1]), recording.windows([(1, 23)], 1).clips()[0])


def test_told_and_untold_are_the_same_without_noise(model, recording):
    windows = recording.windows([(0, 10), (1, 40)], K + 1)
    found = trials.told_and_untold(model, windows.clips(), windows.actions, (0.0, 0.5))
    assert found["told"][0] == found["not told"][0] and found["told"][1] != found["not told"][1]


def test_behind_a_door_the_room_is_another_one():
    recording = arcade_recording("rooms", 2_000, "test")
    places = trials.doors(recording, 5, 4)
    assert len(places) == 4
    for number, first in places:
        *_, before, behind = read_rooms(recording.windows([(number, first)], 5).clips()[0])
        assert not behind.has_key and (behind.player[1] + PLAYER_HEIGHT) % TILE == 0  # someone stands there, without it
        assert sum(a != b for a, b in zip(before.tiles, behind.tiles)) > 5


def test_the_next_frame_of_the_game_itself_is_exact(model, recording):
    places = [(0, 30), (1, 60), (1, 200)]
    level, exact = trials.next_of(model, recording, places, samplers()[GAME])
    assert exact == 1 and level > 30
    level, exact = trials.next_of(model, recording, places, samplers()[LAST])
    assert exact < 1


def test_verdicts_are_drawn_one_row_per_play(model):
    plays = record(Rooms("test"), mixed_player("rooms"), 2, 5, window=K, progress=False)
    judged = {f"game {k}": one.agreement() for k, one in enumerate(dream(model, plays, 2, 4, sampler=samplers()[LAST]))}
    assert len(trials.draw_verdicts(judged).axes) == 2
