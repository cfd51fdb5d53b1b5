"""What distils and measures `arcade-rooms-fast`: windows with doors, a loss of three parts, rooms that are read."""

import numpy as np
import pytest
import torch

from common.data.arcade import arcade_recording
from common.data.arcade.tiles import TILE
from common.models.world_unet import PRESETS, WorldUNet
from common.pipelines.world import WorldModel
from common.training.keyed_noise import KeyedNoise
from common.zoo.arcade_rooms_fast import measures, recipe, study
from common.zoo.arcade_rooms_fast.windows import DoorWindows, opens


@pytest.fixture(scope="module")
def windows():
    return DoorWindows(arcade_recording("rooms", 5_000), 9)


@pytest.fixture
def model(monkeypatch):
    """A small student, and a small teacher that differs."""
    student, teacher = (small(seed) for seed in (0, 1))
    monkeypatch.setattr(recipe, "load_teacher", lambda: teacher.eval().requires_grad_(False))
    monkeypatch.setattr(measures, "load_teacher", recipe.load_teacher)
    return student


def small(seed: int) -> WorldUNet:
    torch.manual_seed(seed)
    model = WorldUNet(context=4, sigma_data=0.44, **PRESETS["ci"])
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return model


def test_half_of_the_windows_end_behind_a_door(windows):
    batch = windows.batch(range(32))
    behind = opens(batch)
    assert behind[[k for k in range(32) if k % 4 < 2]].all()
    assert behind.sum() <= 20 and torch.equal(batch.pixels, windows.batch(range(32)).pixels)
    changed = (batch.pixels[:, :, -1, TILE:] != batch.pixels[:, :, -2, TILE:]).any(dim=1).float().mean(dim=(1, 2))
    assert changed[behind].min() > 0.1 > changed[~behind].max()


def test_the_loss_has_three_parts_and_trains_the_student_alone(model, windows):
    indices = range(16)
    losses = recipe.compute_loss(model, windows.batch(indices), KeyedNoise(0, indices))
    losses["loss"].backward()
    assert all(losses[name] > 0 for name in ("behind", "own", "real"))
    assert all(parameter.grad is None for parameter in recipe.load_teacher().parameters())
    assert sum(parameter.grad is not None for parameter in model.parameters()) > 50


def test_each_control_breaks_one_thing(model, windows):
    def parts(**broken):
        with torch.no_grad():
            return recipe.compute_loss(model, windows.batch(range(16)), KeyedNoise(0, range(16)), **broken)

    usual, unshared, real = parts(), parts(shared=False), parts(own_part=0.0)
    assert unshared["real"] == usual["real"] and unshared["behind"] != usual["behind"]
    assert real["own"] == 0 and usual["own"] > 0


def test_rooms_of_the_game_are_perfect_and_their_mean_is_not():
    due = measures.door_windows(8).clips()[:, :, -1]
    perfect = measures.room_quality(due)
    assert [perfect[name] for name in ("tiles", "whole", "player", "sharpness")] == [1, 1, 1, 1]
    grey = measures.room_quality(due.mean(dim=0, keepdim=True).expand(3, -1, -1, -1))
    assert grey["whole"] == grey["slime"] == 0 and grey["sharpness"] < 0.5 and grey["tiles"] < 0.9


def test_every_number_of_the_card_is_measured(model, monkeypatch):
    monkeypatch.setattr(measures, "SETTINGS", {"small": (2, 2, 2, 4), "full": (2, 2, 2, 4)})
    found = measures.measure(model)
    arms = {name.rpartition("door/")[0] for name in found if "door/" in name}
    assert arms == {"", "teacher/", "teacher_many/", "game/"}
    assert found["game/door/whole"] == 1 and {"next/psnr", "dream/rule_all", "teacher/dream/rule_all"} <= found.keys()


def test_a_study_has_every_arm_and_the_game(model):
    found = study.study({"student": (model, 1), "two steps": (model, 2)}, 2, 2, 2, 4)
    assert found["arms"].keys() == {"student", "two steps"} and found["num_doors"] == 2
    assert found["game"]["tiles"] == 1 and "dream/rule_all" in found["arms"]["student"]


def test_latency_is_measured_in_sessions_and_on_rungs(model, monkeypatch):
    monkeypatch.setattr(WorldUNet, "from_pretrained", classmethod(lambda cls, name: small(2)))
    world = WorldModel(model, torch.float32)
    spent = study.step_latency({"one": (world, 1), "three": (world, 3)}, rounds=3)
    assert spent["three"].cpu > spent["one"].cpu > 0
    rungs = study.ladder("a name", torch.float32)
    answers = [rung() for rung in rungs.values()]
    assert len(answers) == 5 and answers[0].requires_grad and not answers[-1].requires_grad
    assert all((answer.float() - answers[0]).abs().max() < 1e-3 for answer in answers)


def test_through_a_door(model):
    world, windows = WorldModel(model, torch.float32, folded=True), measures.door_windows(2)
    clip = study.through_door(world, windows, 1, 2)
    assert clip.shape == (3, 7, 64, 64)
    assert torch.allclose(clip[:, :4], windows.clips()[1, :, :4], atol=1e-6)


def test_on_paper_the_shared_noise_makes_a_staircase():
    from common.diffusion.consistency import consistency_loss

    places = torch.tensor([[-6.0], [6.0]])
    shared, other = (study.paper_student(consistency_loss, places, how, 150) for how in (True, False))
    assert float(shared[0]) < -0.8 and float(shared[1]) > 0.8
    assert float(other.abs().max()) < 0.5


def test_a_front_is_drawn():
    figure = study.draw_front({"a": (1.0, 2.0), "b": (3.0, 1.0)}, np.array([True, False]), "title", "worth")
    assert len(figure.axes[0].lines) == 3
