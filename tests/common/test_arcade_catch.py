"""What trains and measures `arcade-catch`: windows with events, its loss, and an engine that scores 100 %."""

from types import SimpleNamespace

import pytest
import torch

from common.data.arcade import arcade_recording, transitions
from common.data.arcade.catch import FIRST_ROW, LAST_ROW
from common.evaluation.arcade_reader import read_catch
from common.evaluation.catch_engine import catch_engine, free_windows
from common.evaluation.inverse_dynamics import (
    action_confusion,
    action_matrix,
    fit_inverse_dynamics,
    told_is_seen,
)
from common.models.world_parts import use_parts
from common.models.world_unet import ActionEmbedding, FiLMBlock, WorldUNet
from common.training import train
from common.training.keyed_noise import KeyedNoise
from common.zoo.arcade_catch import measures
from common.zoo.arcade_catch.recipe import CONTEXT, MODEL, RECIPE, SIZES, compute_loss
from common.zoo.arcade_catch.windows import CatchWindows

KEYS = 3


@pytest.fixture(scope="module")
def recording():
    return arcade_recording("catch", 4_000, "test")


@pytest.fixture(scope="module")
def pasts(recording):
    """Pasts in which every key has an effect of its own: frames, actions, noise."""
    batch = recording.windows(free_windows(recording, CONTEXT + 1, 24), CONTEXT + 1)
    past, actions, _ = transitions(batch.clips(), batch.actions, CONTEXT)
    return past, actions, torch.zeros_like(past[:, :, 0])


def small_model() -> WorldUNet:
    """One whose answers are not all alike."""
    torch.manual_seed(0)
    model = WorldUNet(**MODEL, **SIZES["ci"])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval().requires_grad_(False)


def test_a_quarter_of_the_windows_end_with_an_event(recording):
    def part(data):
        seen = [read_catch(clip[:, -1:])[0].ball for clip in data.batch(range(400)).clips()]
        return sum(ball is not None and ball[1] in (FIRST_ROW, LAST_ROW) for ball in seen) / len(seen)

    assert part(recording.with_window(3)) < 0.12
    assert 0.25 < part(CatchWindows(recording, 3)) < 0.4


def test_a_number_is_a_window_whatever_is_beside_it(recording):
    together, alone = CatchWindows(recording, 3).batch([3, 900, 17]), CatchWindows(recording, 3).batch([900])
    assert torch.equal(together.pixels[1:2], alone.pixels) and torch.equal(together.actions[1:2], alone.actions)


def test_the_loss_reads_the_action_that_leads_to_the_next_frame(recording):
    model, batch = small_model(), recording.with_window(CONTEXT + 1).batch([4, 9, 30])
    losses = [compute_loss(model, batch, KeyedNoise(0, [4, 9, 30]))["loss"]]
    batch.actions[:, -1] = (batch.actions[:, -1] + 1) % KEYS
    losses.append(compute_loss(model, batch, KeyedNoise(0, [4, 9, 30]))["loss"])
    assert losses[0] != losses[1]


@pytest.mark.parametrize("stage", ["main", "settle", "polish"])
def test_every_stage_runs(stage, tmp_path):
    _, settings = RECIPE.at(stage, "ci")
    settings = settings.__class__(**vars(settings) | {"steps": 1})
    state = None if stage == "main" else RECIPE.build_model("ci").state_dict()
    train(RECIPE, "ci", stage=stage, folder=tmp_path, settings=settings, weights=state)


def test_the_engine_follows_its_own_rules(recording):
    """Teacher forcing: what comes next in a play, but for a serve."""
    clips, actions = recording.play(0).clips()[:, :, :60], recording.play(0).actions[:, :59]
    past, pressed, target = transitions(clips, actions, 2)
    made = catch_engine(target, past, pressed)
    served = [now.ball[1] == FIRST_ROW for now in read_catch(target.transpose(0, 1))]
    fresh = [before.ball[1] == FIRST_ROW for before in read_catch(past[:, :, -1].transpose(0, 1))]
    same = [torch.equal(a, b) for a, b in zip(made, target)]
    assert all(right or new or just for right, new, just in zip(same, served, fresh)) and sum(same) > 40


def test_the_engine_refuses_a_past_without_a_ball():
    with pytest.raises(ValueError, match="no ball"):
        catch_engine(None, torch.zeros(1, 3, 2, 32, 32), torch.zeros(1, 2, dtype=torch.int64))


def test_free_windows_are_as_many_as_asked_or_an_error(recording):
    places = free_windows(recording, 3, 10)
    assert len(set(places)) == 10
    with pytest.raises(ValueError, match="not 100000"):
        free_windows(recording, 3, 100_000)


def test_the_probe_sees_every_key_in_the_engine_and_chance_in_a_world_that_does_not_obey(recording, pasts):
    past, actions, eps = pasts
    probe = fit_inverse_dynamics(arcade_recording("catch", 8_000), KEYS, steps=100)
    real = action_matrix(catch_engine, past, actions, eps, KEYS)
    assert measures.sign_right(past[:, :, -1], real) == 1
    assert told_is_seen(action_confusion(probe, past[:, :, -1], real)) > 0.97
    still = action_matrix(lambda eps, past, actions: past[:, :, -1], past, actions, eps, KEYS)
    confusion = action_confusion(probe, past[:, :, -1], still)
    assert abs(told_is_seen(confusion) - 1 / KEYS) < 1e-6 and torch.allclose(confusion.sum(dim=1), torch.ones(KEYS))


def test_a_probe_is_the_same_each_time_and_leaves_the_random_state_alone(recording):
    state = torch.get_rng_state()
    one, other = (fit_inverse_dynamics(recording, KEYS, steps=2) for _ in range(2))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters()))


def test_only_the_last_action_differs_in_an_action_matrix(pasts):
    asked = []
    past, actions, eps = pasts
    action_matrix(lambda eps, past, pressed: asked.append(pressed) or past[:, :, -1], past, actions, eps, KEYS)
    assert all(torch.equal(pressed[:, :-1], actions[:, :-1]) for pressed in asked)
    assert [pressed[:, -1].unique().tolist() for pressed in asked] == [[0], [1], [2]]


def test_steps_of_the_engine_follow_the_rules_and_others_do_not(recording):
    play = recording.play(1)
    readings, actions = read_catch(play.clips()[0, :, :80]), play.actions[0, :79].tolist()
    assert all(paddle and ball for paddle, ball in measures.judge_steps(readings, actions))
    late = measures.judge_steps(readings, [0, *actions[:-1]])
    assert not all(paddle for paddle, _ in late)
    frozen = measures.judge_steps([readings[5]] * 9, actions[:8])
    assert not any(ball for _, ball in frozen)


def test_own_parts_with_the_same_weights_compute_the_same():
    class OwnBlock(FiLMBlock):
        pass

    class OwnEmbedding(ActionEmbedding):
        pass

    library, model = small_model(), use_parts(small_model(), OwnBlock, OwnEmbedding)
    given = (
        torch.randn(2, 3, 32, 32),
        torch.zeros(2),
        torch.randn(2, 3, 2, 32, 32),
        torch.ones(2, 2).long(),
        torch.zeros(2),
    )
    assert torch.equal(model(*given), library(*given))
    assert sum(isinstance(module, OwnBlock) for module in model.modules()) == sum(SIZES["ci"]["num_blocks"]) + 2
    assert isinstance(model.actions, OwnEmbedding) and not model.training


def test_every_number_of_the_card_is_measured(monkeypatch):
    monkeypatch.setattr(measures, "SETTINGS", {"small": (4, 1, 4)})
    monkeypatch.setattr(
        measures, "fit_inverse_dynamics", lambda plays, count: lambda before, after: torch.zeros(len(after), 3)
    )
    told = []
    found = measures.measure(small_model(), "small", told.append)
    assert {"sign", "told_seen", "ratio", "no_action/sign", "rule_paddle", "present_end"} <= set(found)
    assert told[-1] == 1 and found["engine/sign"] == 1
    with pytest.raises(ValueError, match="tiny"):
        measures.measure(SimpleNamespace(), "tiny")
