"""Files beside a training run that are not what was written: passed over, or one sentence."""

import json

import pytest
import torch
from safetensors.torch import save_file

from common.training import budget, checkpoint
from common.training.errors import TrainingError
from common.training.records import read_log
from common.zoo.shelf import model_class

ODD = ["[]", "3", "null", '"text"', "{}", "[" * 50_000, "{half"]


@pytest.mark.parametrize("state", ODD)
def test_a_checkpoint_with_an_odd_state_is_damaged(tmp_path, state):
    """Whole by its checksum, but its state is of another shape."""
    path = tmp_path / "step_00000003.safetensors"
    tensors = {"weight": torch.ones(2)}
    save_file(tensors, path, metadata={"state": state, "checksum": checkpoint.checksum(tensors, state)})
    with pytest.raises(checkpoint.DamagedCheckpoint, match=path.name):
        checkpoint.load(path)


@pytest.mark.parametrize("line", ODD)
def test_a_log_ends_at_the_first_line_that_is_none(tmp_path, line):
    good = {"step": 0, "loss": 1.0}
    (tmp_path / "log.jsonl").write_text(f"{json.dumps(good)}\n{line}\n{json.dumps(good)}\n")
    assert read_log(tmp_path) == [good]


@pytest.mark.parametrize("text", [*ODD, '{"core_seconds": 5, "steps": "many"}', '{"core_seconds": "x", "steps": 3}'])
def test_an_odd_budget_says_so(tmp_path, text):
    (tmp_path / "budget.json").write_text(text)
    with pytest.raises(TrainingError, match=r"budget.json is not what .* Delete .* to begin anew"):
        budget._read(tmp_path / "budget.json")


@pytest.mark.parametrize("text", [*ODD, '{"_class_name": 3}', '{"_class_name": "../x"}', '{"_class_name": "Nothing"}'])
def test_an_odd_config_says_so(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ValueError, match=r"config.json|holds a Nothing"):
        model_class(tmp_path)
