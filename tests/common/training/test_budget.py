"""Training for core-seconds: as many steps as they buy, fixed at the start, and the same run as without a budget."""

import json
from dataclasses import replace

import pytest
import torch

from common.training import TrainingError, read_log, train
from common.training.budget import train_for


@pytest.fixture
def measured(recipe):
    """The tiny recipe with a measure that remembers nothing."""
    return replace(recipe, measure=lambda model, preset: {"size": float(sum(p.norm() for p in model.parameters()))})


def settings_of(recipe, **changes):
    return replace(recipe.at("main", "ci")[1], **changes)


def test_the_looks_are_spread_evenly_and_the_last_is_the_end(measured, tmp_path):
    curve = train_for(measured, 0.1, tmp_path, preset="ci", num_looks=4, quiet=True)
    steps = json.loads((tmp_path / "budget.json").read_text())["steps"]
    assert curve[-1]["step"] + 1 == steps and 1 <= len(curve) <= 4
    assert all("size" in look and look["core_seconds"] > 0 for look in curve)
    assert [look["core_seconds"] for look in curve] == sorted(look["core_seconds"] for look in curve)


def test_steps_cost_what_the_trial_said(measured, tmp_path, monkeypatch):
    """By a clock of our own a step takes a quarter of a second: ten core-seconds are forty steps."""
    ticks = iter(0.25 * k for k in range(10**6))
    monkeypatch.setattr("common.training.loop.time.process_time", lambda: next(ticks))
    curve = train_for(measured, 10, tmp_path, preset="ci", num_looks=2, quiet=True)
    assert [look["step"] + 1 for look in curve] == [20, 40]
    assert [look["core_seconds"] for look in curve] == [5.0, 10.0]


def test_it_is_the_run_that_train_would_have_done(measured, tmp_path):
    train_for(measured, 0.05, tmp_path / "budget", preset="ci", quiet=True)
    steps = json.loads((tmp_path / "budget" / "budget.json").read_text())["steps"]
    train(measured, "ci", folder=tmp_path / "plain", settings=settings_of(measured, steps=steps), quiet=True)
    ends = [read_log(tmp_path / name)[-1] for name in ("budget", "plain")]
    assert ends[0]["loss"] == ends[1]["loss"] and ends[0]["size"] == ends[1]["size"]


def test_a_run_that_was_stopped_keeps_its_number_of_steps(measured, tmp_path):
    def stop(model, preset):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train_for(replace(measured, measure=stop), 0.2, tmp_path, preset="ci", num_looks=3, quiet=True)
    (tmp_path / "trial" / "log.jsonl").unlink()  # what the trial said is not asked again
    known = json.loads((tmp_path / "budget.json").read_text())["steps"]
    first = train_for(measured, 0.2, tmp_path, preset="ci", num_looks=3, quiet=True)
    assert first[-1]["step"] + 1 == known
    assert train_for(measured, 0.2, tmp_path, preset="ci", num_looks=3, quiet=True) == first


def test_another_budget_in_the_same_folder_is_refused(measured, tmp_path):
    train_for(measured, 0.05, tmp_path, preset="ci", quiet=True)
    with pytest.raises(TrainingError, match="core-seconds"):
        train_for(measured, 0.1, tmp_path, preset="ci", quiet=True)
    for wrong in ({"core_seconds": 0}, {"core_seconds": 1, "num_looks": 0}):
        with pytest.raises(ValueError, match="core_seconds"):
            train_for(measured, folder=tmp_path, preset="ci", quiet=True, **wrong)


def test_the_trial_leaves_no_trace_in_the_weights(measured, tmp_path):
    train_for(measured, 0.05, tmp_path / "one", preset="ci", quiet=True)
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "budget.json").write_text((tmp_path / "one" / "budget.json").read_text())
    torch.manual_seed(7)
    train_for(measured, 0.05, tmp_path / "two", preset="ci", quiet=True)  # without a trial
    assert [line["loss"] for line in read_log(tmp_path / "one")] == [
        line["loss"] for line in read_log(tmp_path / "two")
    ]
