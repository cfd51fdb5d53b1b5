"""`flipbook train` finds the recipe and the weights to begin with, changes settings, says what is wrong in words."""

import json

import pytest
from click.testing import CliRunner

from common.cli import train as cli
from common.training import read_log


@pytest.fixture
def command(recipe_file, tmp_path, monkeypatch):
    """A function that runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLIPBOOK_PRESET", "ci")
    return lambda *words, recipe=recipe_file: CliRunner().invoke(cli.train, [str(recipe), *map(str, words)])


def test_it_trains_where_it_says_and_a_later_stage_finds_the_weights(command, tmp_path):
    too_early = command("--stage", "longer")
    assert too_early.exit_code == 1 and "train it first" in too_early.output
    first = command("--steps", 6, "--set", "log_every=2")
    assert first.exit_code == 0, first.output
    assert "tiny, stage main, preset ci: 6 steps of 8 samples" in first.output
    folder = tmp_path / "runs" / "tiny" / "ci"
    assert [line["step"] for line in read_log(folder / "main")] == [0, 1, 3, 5]
    assert json.loads((folder / "main" / "weights" / "config.json").read_text())["_class_name"] == "Tiny"
    second = command("--stage", "longer")
    assert second.exit_code == 0, second.output
    anew = command("--weights", folder / "main" / "weights", "--folder", tmp_path / "anew", "--steps", 1)
    assert anew.exit_code == 0, anew.output
    assert read_log(tmp_path / "anew")[0]["loss"] < read_log(folder / "main")[0]["loss"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--stage", "later"), "no stage 'later'; it has main, longer"),
        (("--stage", "longer", "--preset", "cpu"), "runs under ci, not 'cpu'"),
        (("--set", "speed=9"), "no setting 'speed'"),
        (("--set", "steps"), "NAME=VALUE"),
        (("--set", "micro_batches=3"), "does not divide"),
        (("--weights", "nowhere"), "nowhere holds 0 safetensors"),
        (("--preset", "tpu"), "'tpu' is not one of"),
    ],
)
def test_what_is_wrong_is_said_without_a_traceback(command, tmp_path, words, said):
    result = command(*words)
    assert result.exit_code and said in result.output and "Traceback" not in result.output
    assert not list(tmp_path.rglob("step_*"))


def test_a_recipe_that_is_none(command, tmp_path):
    assert "no recipe file" in command(recipe=tmp_path / "absent.py").output
    (tmp_path / "empty.py").write_text("RECIPE = 3")
    assert "holds no RECIPE" in command(recipe=tmp_path / "empty.py").output
    assert "no recipe 'sprites-vea'; did you mean sprites-vae?" in command(recipe="sprites-vea").output
    said = command(recipe="qwertz").output
    assert "no recipe 'qwertz'" in said and all(name in said for name in cli.shipped_names())


def test_the_gpu_preset_without_one(command, monkeypatch, recipe_file, tmp_path):
    monkeypatch.setattr("torch.accelerator.is_available", lambda: False)
    text = recipe_file.read_text().replace('("ci", "cpu")', '("ci", "cpu", "gpu")')
    (tmp_path / "any.py").write_text(text)
    assert "sees no accelerator here" in command("--preset", "gpu", recipe=tmp_path / "any.py").output


def test_ctrl_c_says_how_to_go_on(command, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("common.training.train", interrupted)
    result = command()
    assert result.exit_code == 1 and "goes on from the last checkpoint" in result.output
