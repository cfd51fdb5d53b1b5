"""What trains and measures `arcade-rooms`: windows with events, a past of its own, and an engine that scores 100 %."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from common.data.arcade import arcade_recording
from common.evaluation.rooms_engine import rooms_engine
from common.models.world_unet import PRESETS, WorldUNet
from common.training import train
from common.training.keyed_noise import KeyedNoise
from common.zoo.arcade_rooms import measures
from common.zoo.arcade_rooms.recipe import CONTEXT, RECIPE, SIGMA_DATA, compute_loss, with_own_frames
from common.zoo.arcade_rooms.windows import EventWindows


@pytest.fixture(scope="module")
def recording():
    return arcade_recording("rooms", 10_000, "test")


@pytest.fixture(scope="module")
def model() -> WorldUNet:
    """A small one whose answers are not all alike."""
    torch.manual_seed(0)
    model = WorldUNet(context=CONTEXT, **PRESETS["ci"])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model.eval().requires_grad_(False)


# --------------------------------------------------------------------------------------------------------- windows


def hud_changes(batch) -> torch.Tensor:
    hud = batch.pixels[:, :, :, :8]
    return (hud[:, :, -1] != hud[:, :, -2]).flatten(1).any(dim=1)


def test_a_quarter_of_the_windows_end_with_an_event(recording):
    data = EventWindows(recording, 5)
    part = hud_changes(data.batch(range(800))).float().mean()
    by_chance = hud_changes(recording.batch(range(800))).float().mean()
    assert by_chance < 0.06 and 0.22 < part < 0.34


def test_a_number_is_a_window_whatever_stands_beside_it(recording):
    data, again = EventWindows(recording, 5), EventWindows(recording, 5)
    together, alone = data.batch([3, 900, 17]), again.batch([900])
    assert torch.equal(together.pixels[1:2], alone.pixels) and torch.equal(together.actions[1:2], alone.actions)


def test_no_door_opens_while_the_model_makes_its_own_past(recording):
    """A door takes the key from the HUD. It may do so in the last frame and before the model's own frames."""
    window = 2 * CONTEXT + 1
    pixels = EventWindows(recording, window, num_own=CONTEXT).batch(range(800)).pixels
    key = pixels[:, :, :, 1, 1:4].float().mean(dim=(1, 3))  # (B, T): bright with the key
    lost = key[:, :-1] > key[:, 1:] + 20
    assert not lost[:, CONTEXT - 1 : -1].any()
    assert lost[:, -1].any() and lost[:, : CONTEXT - 1].any()


def test_sigma_data_is_that_of_rooms(recording):
    assert abs(recording.batch(range(300)).clips().std() - SIGMA_DATA) < 0.02


# ------------------------------------------------------------------------------------------------------------ loss


def test_only_the_last_five_frames_count_unless_the_past_is_its_own(model, recording):
    indices = [4, 9, 30]
    batch = EventWindows(recording, 2 * CONTEXT + 1, num_own=CONTEXT).batch(indices)
    pixels, actions = batch.pixels.clone(), batch.actions.clone()
    pixels[:, :, :CONTEXT], actions[:, : CONTEXT - 1] = 255 - pixels[:, :, :CONTEXT], 0
    early = replace(batch, pixels=pixels, actions=actions)
    for own_part, same in ((0.0, True), (1.0, False)):
        losses = [compute_loss(model, b, KeyedNoise(0, indices), own_part=own_part)["loss"] for b in (batch, early)]
        assert torch.equal(*losses) == same


def test_its_own_frames_are_a_rollout_and_the_target_stays_real(model, recording):
    batch = EventWindows(recording, 2 * CONTEXT + 1, num_own=CONTEXT).batch([1, 2, 3])
    clip, chosen = batch.clips(), torch.tensor([True, False, True])
    made = with_own_frames(model, clip, batch.actions, KeyedNoise(0, [1, 2, 3]), chosen)
    assert torch.equal(made[1], clip[1])
    assert torch.equal(made[:, :, :CONTEXT], clip[:, :, :CONTEXT]) and torch.equal(made[:, :, -1], clip[:, :, -1])
    assert (made[chosen][:, :, CONTEXT:-1] != clip[chosen][:, :, CONTEXT:-1]).any()
    alone = with_own_frames(model, clip[2:], batch.actions[2:], KeyedNoise(0, [3]), torch.tensor([True]))
    assert (alone - made[2:]).abs().max() <= 2 / 127.5  # rounding alone
    changed = batch.actions.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 6  # leads from the last own frame to the target
    assert torch.equal(with_own_frames(model, clip, changed, KeyedNoise(0, [1, 2, 3]), chosen), made)


def test_a_run_that_was_stopped_ends_in_the_same_weights(tmp_path):
    """Stage "own" too, whose past depends on the weights."""
    for stage in ("main", "own"):
        _, settings = RECIPE.at(stage, "ci")
        settings = replace(settings, steps=4, batch_size=4, warmup_steps=0, decay="none", checkpoint_every=2)
        recipe = replace(RECIPE, measure=None, sheet=None)
        through = train(recipe, "ci", stage=stage, folder=tmp_path / f"{stage} a", settings=settings, quiet=True)
        half = replace(settings, steps=2)
        train(recipe, "ci", stage=stage, folder=tmp_path / f"{stage} b", settings=half, quiet=True)
        resumed = train(recipe, "ci", stage=stage, folder=tmp_path / f"{stage} b", settings=settings, quiet=True)
        one, two = (next(place.glob("*.safetensors")).read_bytes() for place in (through, resumed))
        assert one == two


# -------------------------------------------------------------------------------------------------------- measures


def engine(model, past, actions, num_steps=2, **_):
    """The game itself in the model's place."""
    return rooms_engine(past, actions)


def frozen(model, past, actions, num_steps=2, **_):
    return past[:, :, -1]


ANY = SimpleNamespace(config=SimpleNamespace(context=CONTEXT, num_actions=6), device="cpu")


def test_the_engine_in_the_models_place_scores_all_there_is(monkeypatch, recording):
    monkeypatch.setattr(measures, "sample_next", engine)
    found = measures.measure_next(ANY, recording, 20)
    assert [found[f"exact_{n}"] for n in (1, 2, 3)] == [1, 1, 1] and found["exact_after_change"] == 1
    assert found["wrong_keys/exact"] == found["wrong_keys/engine"] < 0.4
    assert found["psnr_2"] > 35 > found["copy_last/psnr"]  # a slime may turn
    found = measures.summary(measures.dream(ANY, recording, 1, 90))
    wrong = {name: value for name, value in found.items() if name != "num_hud_events" and value != 1}
    assert not wrong and found["num_hud_events"] >= 2


def test_a_frozen_picture_is_found_out(monkeypatch, recording):
    monkeypatch.setattr(measures, "sample_next", frozen)
    found = measures.measure_next(ANY, recording, 40)
    assert found["exact_2"] == found["copy_last/exact"] and found["psnr_3"] == found["copy_last/psnr"]
    found = measures.summary(measures.dream(ANY, recording, 2, 40))
    assert found["present_end"] == 1 and found["rule_grid"] == 1  # nothing is lost
    assert found["rule_player"] < 0.9 and found["num_hud_events"] == 0


def test_every_number_comes_with_progress(model, monkeypatch):
    monkeypatch.setattr(measures, "SETTINGS", {"small": (16, 2, 6)})
    told = []
    found = measures.measure(model, "small", told.append)
    assert told == sorted(told) and told[-1] == 1 and all(np.isfinite(value) for value in found.values())
    with pytest.raises(ValueError, match="small; got 'huge'"):
        measures.measure(model, "huge")


def test_dreams_side_by_side_are_dreams_one_by_one(model, recording):
    pair = measures.dream(model, recording, 2, 3)
    one = measures.dream(model, recording, 1, 3)
    assert pair[0].actions == one[0].actions and len(pair[1].readings) == CONTEXT + 3
