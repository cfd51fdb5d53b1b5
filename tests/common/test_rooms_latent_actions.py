"""What trains, measures and studies `rooms-latent-actions`: known steps, the judges' ends, codes at play."""

import numpy as np
import pytest
import torch

from common.data.arcade.dice import Dice
from common.evaluation.mutual_information import mutual_information
from common.models.latent_action import PRESETS, LatentActionModel
from common.training import train
from common.training.keyed_noise import KeyedNoise
from common.zoo.rooms_latent_actions import free, measures, plain, plain_free, study, trials
from common.zoo.rooms_latent_actions.crops import SIDE, corner
from common.zoo.rooms_latent_actions.recipe import RECIPE, compute_loss
from common.zoo.rooms_latent_actions.steps import fresh_steps


@pytest.fixture(scope="module")
def steps():
    return fresh_steps(96, with_slime=False)


@pytest.fixture(scope="module")
def model() -> LatentActionModel:
    torch.manual_seed(0)
    model = LatentActionModel(**PRESETS["ci"])
    torch.nn.init.normal_(model.change_out.weight, std=0.05)
    return model.eval().requires_grad_(False)


def test_the_third_frame_is_the_one_that_the_key_leads_to(steps):
    """The outcome of the pressed key, drawn by the engine, is what was recorded."""
    game = measures.Rooms("test", with_slime=False)
    for k in range(20):
        game.set_state(steps.states[k])
        assert (game.frame().transpose(2, 0, 1) == steps.pixels[k, :, 1].numpy()).all()
        game.step(int(steps.actions[k]))
        assert (game.frame().transpose(2, 0, 1) == steps.pixels[k, :, 2].numpy()).all()


def test_an_effect_is_a_key_that_leads_to_the_same_frame(steps):
    game = measures.Rooms("test", with_slime=False)
    for effect, state, clip in zip(steps.effects().tolist(), steps.states, steps.pixels[:30]):
        game.set_state(state)
        game.step(effect)
        assert (game.frame().transpose(2, 0, 1) == clip[:, 2].numpy()).all()
    apart = steps.apart()
    assert torch.equal(steps.effects()[apart], steps.actions[apart])
    assert (steps.effects() <= steps.actions).all() and (steps.effects() < steps.actions).any()


def test_where_all_keys_are_apart_there_is_room(steps):
    apart, room = steps.apart(), steps.has_room()
    assert apart.any() and room.any() and not (apart & ~room).any()
    assert all(row.unique().numel() == 6 for row in steps.outcomes[apart])


def test_the_keys_themselves_are_judged_as_perfect_but_for_what_is_not_seen(steps, monkeypatch):
    monkeypatch.setattr(measures, "LABELLED", 40)
    found = measures.judge(steps.actions, steps)
    assert found["matched"] == 1 and found["named"] > 0.9 and found["of_ceiling"] > 1
    blind = measures.judge(torch.zeros(96, dtype=torch.int64), steps)
    assert blind["bits"] == pytest.approx(0, abs=1e-9) and blind["matched"] < 0.5


def test_the_other_past_has_another_speed(steps):
    here, there, third = measures.pairs(steps, 16)
    assert len(here) == len(there) == len(third) == 16 and here.has_room().all() and there.has_room().all()
    speeds = [(a.velocity, b.velocity) for a, b in zip(here.states, there.states)]
    assert all(abs(a - b) >= measures.OTHER_SPEED for a, b in speeds)


def test_the_engine_transfers_and_a_stuck_decoder_does_not(steps, monkeypatch):
    """With the engine in the place of the decoder, a code in another past is always right."""

    def by_the_engine(model, donors, pasts):
        game, frames = measures.Rooms("test", with_slime=False), []
        for action, state in zip(donors.actions.tolist(), pasts.states):
            game.set_state(state)
            game.step(action)
            frames.append(torch.from_numpy(game.frame()).permute(2, 0, 1) / 127.5 - 1)
        return torch.stack(frames)

    monkeypatch.setattr(measures, "drawn", by_the_engine)
    found = measures.measure_transfer(None, steps, 24)
    assert found["own"] == found["transfer"] == 1 and found["transfer/chance"] < 0.8
    monkeypatch.setattr(measures, "drawn", lambda model, donors, pasts: pasts.clips()[:, :, 1])
    assert measures.measure_transfer(None, steps, 24)["transfer"] < 0.5


def test_the_loss_moves_the_codebook_in_training_alone(steps):
    torch.manual_seed(0)
    model, batch = LatentActionModel(**PRESETS["ci"]), RECIPE.data("ci").batch(range(8))
    before = model.quantizer.codebook.clone()
    compute_loss(model.eval(), batch, KeyedNoise(0, range(8)))
    assert torch.equal(model.quantizer.codebook, before)
    told = compute_loss(model.train(), batch, KeyedNoise(0, range(8)))
    assert not torch.equal(model.quantizer.codebook, before) and told["loss"].requires_grad


def test_the_loss_sees_no_key(model):
    batch = RECIPE.data("ci").batch(range(6))
    other = type(batch)(batch.pixels, 5 - batch.actions)
    losses = [compute_loss(model, one, KeyedNoise(0, range(6)))["loss"] for one in (batch, other)]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("stage", RECIPE.stages)
def test_a_run_leaves_weights_and_a_codebook(stage, tmp_path):
    place = train(RECIPE, "ci", stage=stage, folder=tmp_path, quiet=True)
    trained = LatentActionModel.from_pretrained(place)
    assert trained.quantizer.codebook.isfinite().all()


@pytest.mark.parametrize("control", [free, plain, plain_free])
def test_controls_differ_in_codes_and_foresight_alone(control, tmp_path):
    place = train(control.RECIPE, "ci", folder=tmp_path, quiet=True)
    trained = LatentActionModel.from_pretrained(place)
    assert (trained.quantizer is None) == (control is not plain)
    assert trained.config.foresight == (control is free) and trained.config.channels == PRESETS["ci"]["channels"]


def test_a_crop_shows_the_change_and_its_number_decides():
    """Its middle is a pixel that changes, unless the frame's edge is near."""
    data = RECIPE.data("ci")
    crops, again = data.batch([5, 9, 2, 7]), data.batch([9])
    assert crops.pixels.shape == (4, 3, 3, SIDE, SIDE) and torch.equal(crops.pixels[1], again.pixels[0])
    whole, some = data.recording.batch(range(60)), data.batch(range(60))
    moving = [(x.pixels[:, :, 2] != x.pixels[:, :, 1]).flatten(1).any(dim=1) for x in (whole, some)]
    assert torch.equal(*moving) and moving[0].any() and not moving[0].all()


def test_the_corner_of_a_crop_is_inside_and_on_the_grid():
    for seed in range(40):
        changed = np.zeros((64, 64), dtype=bool)
        row, column = divmod(97 * seed % 4096, 64)
        changed[row, column] = True
        y, x = corner(Dice(seed), changed)
        assert 0 <= y <= 64 - SIDE >= x >= 0 == y % 4 == x % 4 and y <= row < y + SIDE and x <= column < x + SIDE


def test_two_clusters_that_are_far_apart_are_found():
    points = torch.cat([torch.zeros(10, 3), torch.full((6, 3), 9.0)]) + torch.arange(16)[:, None] / 100
    chosen = trials.clusters(points, points, 2)
    assert chosen[:10].unique().numel() == chosen[10:].unique().numel() == 1 and chosen[0] != chosen[10]


def test_held_codes_and_keys_of_a_video(model, steps):
    worlds = trials.held(model, steps.clips()[0, :, :2], 3)
    assert len(worlds) == 8 and {tuple(world.shape) for world in worlds} == {(3, 3, 64, 64)}
    names = torch.tensor([5, 4, 3, 2, 1, 0, 5, 4])
    clip = torch.cat([steps.clips()[k] for k in range(2)], dim=1)
    keys = trials.keys_of(model, names, clip)
    assert keys.shape == (5,) and keys[0] == 0 and torch.equal(keys[1:], names[model.infer(clip)])


def test_an_untrained_encoder_knows_little(steps):
    codes, missed = measures.inferred(study.untrained(steps, **PRESETS["ci"]), steps)
    assert missed == pytest.approx(1, abs=1e-4) and mutual_information(codes, steps.actions) < 1


def test_every_number_of_the_card_is_measured(model, monkeypatch):
    monkeypatch.setattr(measures, "SETTINGS", {"small": (24, 4)})
    monkeypatch.setattr(measures, "LABELLED", 12)
    shares = []
    found = measures.measure(model, progress=shares.append)
    assert {"bits", "ceiling", "of_ceiling", "matched", "named", "missed", "own", "transfer"} <= found.keys()
    assert {f"slime/{name}" for name in found if "slime" not in name} <= found.keys()
    assert shares == sorted(shares) and shares[-1] == pytest.approx(1)
    with pytest.raises(ValueError, match="small"):
        measures.measure(model, "huge")
