"""The loop as a whole: what it must not depend on, what it leaves behind, and what it says when it cannot go on."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from common.training import TrainingError, read_log, read_weights, snapshot, train
from common.training.checkpoint import files as checkpoint_files
from common.training.checkpoint import load as load_checkpoint
from common.training.identity import moments
from common.training.lock import locked


def losses(lines) -> torch.Tensor:
    return torch.tensor([line["loss"] for line in lines], dtype=torch.float64)


def test_it_learns(run, tmp_path):
    """Measured: 0.39 at first, 0.13 after 14 steps; with a learning rate too small to learn it stays at 0.39."""
    lines = run(tmp_path / "learns")
    still = run(tmp_path / "still", learning_rate=1e-9)
    assert lines[-1]["loss"] < 0.2 < 0.3 < still[-1]["loss"]


def test_how_a_batch_is_cut_up_changes_nothing(run, tmp_path):
    whole = run(tmp_path / "whole", log_every=1)
    cut = run(tmp_path / "cut", log_every=1, micro_batches=4)
    other = run(tmp_path / "other", log_every=1, seed=1)
    assert len(whole) == len(cut) == 14
    assert (losses(whole) - losses(cut)).abs().max() < 1e-6
    assert (losses(whole) - losses(other)).abs().max() > 1e-3  # so that the comparison could have failed


def test_bf16_keeps_the_weights_in_float32(run, tmp_path):
    full, half = run(tmp_path / "full", log_every=1), run(tmp_path / "half", log_every=1, precision="bf16")
    difference = (losses(full) - losses(half)).abs().max()
    assert 1e-6 < difference < 0.02
    saved = load_checkpoint(checkpoint_files(tmp_path / "half" / "checkpoints")[-1])
    assert {tensor.dtype for tensor in saved.tensors.values()} == {torch.float32}


def test_a_long_gradient_is_shortened(run, tmp_path):
    """The norm in the log is the one before: with the limit far below it, one step moves the weights as much less."""
    norm = run(tmp_path / "a", steps=1, max_grad_norm=0)[0]["grad_norm"]
    assert run(tmp_path / "b", steps=1, max_grad_norm=1e-12)[0]["grad_norm"] == norm > 0.1
    run(tmp_path / "c", steps=1, learning_rate=1e-30)
    free, held, start = (read_weights_of(tmp_path / name) for name in "abc")
    moved, barely = (max((w[name] - start[name]).abs().max() for name in start) for w in (free, held))
    assert moved > 100 * barely  # Adam divides by the gradient's size, but for its epsilon of 1e-8


def read_weights_of(folder):
    tensors = load_checkpoint(checkpoint_files(folder / "checkpoints")[-1]).tensors
    return {name: tensor for name, tensor in tensors.items() if name.startswith("model.")}


def test_the_weights_that_come_out_are_the_running_mean_in_half_precision(run, recipe, tmp_path):
    run(tmp_path)
    tensors = load_checkpoint(checkpoint_files(tmp_path / "checkpoints")[-1]).tensors
    out = load_file(tmp_path / "weights" / "diffusion_pytorch_model.safetensors")
    for name, tensor in out.items():
        assert torch.equal(tensor, tensors[f"ema.{name}"].half())
        assert not torch.equal(tensor, tensors[f"model.{name}"].half())
    model = type(recipe.build_model("ci")).from_pretrained(tmp_path / "weights")
    assert torch.equal(model.up.weight.half(), out["up.weight"])


def test_what_only_the_finished_model_knows_goes_into_its_config(run, recipe, tmp_path):
    """`finish` sees the running mean, with gradients off, and what it registers is saved with the weights."""
    seen = []

    def finish(model, preset):
        seen.append((model.training, torch.is_grad_enabled(), preset, model.up.weight.clone()))
        model.register_to_config(width=8, spread=float(model.up.weight.std()))

    run(tmp_path, chosen=replace(recipe, finish=finish))
    [(training, gradients, preset, weight)] = seen
    assert (training, gradients, preset) == (False, False, "ci")
    mean = load_checkpoint(checkpoint_files(tmp_path / "checkpoints")[-1]).tensors["ema.up.weight"]
    assert torch.equal(weight, mean)
    config = json.loads((tmp_path / "weights" / "config.json").read_text())
    assert config["spread"] == float(mean.std())


def test_the_log_and_the_sheets(run, tmp_path):
    lines = run(tmp_path, log_every=5, sheet_every=6, measure_every=7)
    assert [line["step"] for line in lines] == [0, 4, 6, 9, 13]
    assert [line["step"] for line in lines if "spread" in line] == [6, 13]
    assert [path.name for path in sorted((tmp_path / "sheets").iterdir())] == [
        "step_00000006.png", "step_00000012.png", "step_00000014.png"]  # fmt: skip
    assert lines[1]["learning_rate"] < 3e-3 and lines[-1]["seconds"] > lines[0]["seconds"] > 0
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    curves = EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert [event.step for event in curves.Scalars("loss")] == [0, 4, 6, 9, 13]
    assert [event.value for event in curves.Scalars("loss")] == pytest.approx([line["loss"] for line in lines])


def test_at_a_constant_rate_a_training_may_be_prolonged(run, tmp_path):
    run(tmp_path / "whole", decay="none", steps=14)
    run(tmp_path / "prolonged", decay="none", steps=8)
    early = weights_file(tmp_path / "prolonged")
    run(tmp_path / "prolonged", decay="none", steps=14)
    assert weights_file(tmp_path / "prolonged") == weights_file(tmp_path / "whole") != early
    run(tmp_path / "falling", decay="linear", steps=8)
    with pytest.raises(TrainingError, match="steps: 8 there, 14 now"):  # its rates would have been others
        run(tmp_path / "falling", decay="linear", steps=14)


def test_a_later_stage_begins_with_the_weights_of_the_one_before(run, recipe, tmp_path):
    run(tmp_path / "main", learning_rate=3e-3)
    weights = read_weights(tmp_path / "main" / "weights")
    train(recipe, "ci", stage="longer", folder=tmp_path / "longer", weights=weights, quiet=True)
    train(recipe, "ci", stage="longer", folder=tmp_path / "anew", quiet=True)
    longer, anew = (read_log(tmp_path / name)[0]["loss"] for name in ("longer", "anew"))
    assert longer < 0.25 < 0.3 < anew
    other = {name: tensor + 1 for name, tensor in weights.items()}
    with pytest.raises(TrainingError, match="first weights"):
        train(recipe, "ci", stage="longer", folder=tmp_path / "longer", weights=other, quiet=True)
    with pytest.raises(TrainingError, match="not of the recipe's model"):
        train(recipe, "ci", stage="longer", folder=tmp_path / "x", weights={"up.weight": torch.ones(3)}, quiet=True)


@pytest.mark.parametrize("poison", ["loss", "gradient"])
def test_a_loss_that_is_not_finite_stops_it_and_leaves_the_last_checkpoint(run, recipe, tmp_path, poison):
    run(tmp_path / "good", steps=14)

    def compute_loss(model, pixels, noise):
        losses = recipe.compute_loss(model, pixels, noise)
        if noise.indices[0] == 8 * 9:  # the first sample of step 9
            bad = torch.sqrt(0 * losses["loss"])  # 0, with a gradient of 0 * inf
            losses["loss"] = losses["loss"] + (bad if poison == "gradient" else torch.log(-1 - bad))
        return losses

    with pytest.raises(TrainingError, match=r"Step 9 of tiny: .*not finite.* samples 72 to 79.*step_00000008"):
        run(tmp_path / "bad", replace(recipe, compute_loss=compute_loss), steps=14)
    kept = checkpoint_files(tmp_path / "bad" / "checkpoints")
    assert [load_checkpoint(path).step for path in kept] == [4, 8]
    # With the cause mended it goes on from there, and ends where it would have ended.
    run(tmp_path / "bad", steps=14)
    assert weights_file(tmp_path / "bad") == weights_file(tmp_path / "good")


def weights_file(folder) -> bytes:
    return (folder / "weights" / "diffusion_pytorch_model.safetensors").read_bytes()


def test_another_training_in_the_same_folder_is_refused(run, recipe, tmp_path):
    run(tmp_path, steps=4)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(TrainingError, match=r"(?s)batch_size: 8 there, 16 now.*seed: 0 there, 5 now"):
        run(tmp_path, steps=4, batch_size=16, seed=5)

    class Darker:
        key = recipe.data("ci").key  # it says that it is the same

        def batch(self, indices):
            return recipe.data("ci").batch(indices) // 2

    with pytest.raises(TrainingError, match="first sample"):
        run(tmp_path, replace(recipe, data=lambda preset: Darker()), steps=4)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    run(tmp_path, steps=4, log_every=1, checkpoint_every=3, micro_batches=2)  # what decides nothing may change


def test_a_model_that_has_changed_is_refused(run, recipe, tmp_path):
    run(tmp_path, steps=4)
    wider = replace(recipe, build_model=lambda preset: type(recipe.build_model("ci"))(width=9))
    with pytest.raises(TrainingError, match="another model or optimiser"):
        run(tmp_path, wider, steps=4)


def test_one_training_to_a_folder(run, tmp_path):
    with locked(tmp_path), pytest.raises(TrainingError, match="Another training run is using"):
        run(tmp_path, steps=4)
    run(tmp_path, steps=4)


def test_a_resumed_training_without_the_optimisers_memory_would_be_noticed(run, tmp_path, monkeypatch):
    """What the tests of killed trainings compare would differ if a checkpoint left something out."""
    whole = run(tmp_path / "whole")
    run(tmp_path / "cut")
    checkpoint_files(tmp_path / "cut" / "checkpoints")[-1].unlink()
    monkeypatch.setattr(snapshot, "_part", forget_moments(snapshot._part))
    assert run(tmp_path / "cut") != whole
    assert weights_file(tmp_path / "cut") != weights_file(tmp_path / "whole")


def forget_moments(part):
    return lambda tensors, prefix: {
        name: tensor * (0 if name.endswith("exp_avg") else 1) for name, tensor in part(tensors, prefix).items()
    }


def test_the_moments_of_a_batch_are_those_of_its_tensors(recipe):
    pixels = recipe.data("ci").batch([3])
    mean, spread = pixels.double().mean().item(), pixels.double().std(correction=0).item()
    nested = {"b": [pixels], "a": torch.ones(3), "words": "none"}
    assert list(moments(nested)) == pytest.approx([1, 0, mean, spread])
