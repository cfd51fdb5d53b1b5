"""What trains and measures `digits-convlstm`: a clock of clips, a loss in two parts, numbers beside lazy ones."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from common.data.digits import DigitData
from common.models.convlstm import PRESETS, ConvLSTMPredictor, prediction_loss
from common.training import train
from common.training.keyed_noise import KeyedNoise
from common.zoo.digits_convlstm import measures
from common.zoo.digits_convlstm.recipe import PAST_WEIGHT, RECIPE, compute_loss, truth_probability


def test_the_truth_fades_out_with_the_clips_seen():
    seen = torch.tensor([0, 25, 50, 75, 100, 10**9])
    assert truth_probability(seen, 100).tolist() == [1, 0.75, 0.5, 0.25, 0, 0]
    assert truth_probability(seen, 0).tolist() == [0] * 6


@pytest.fixture(scope="module")
def model() -> ConvLSTMPredictor:
    torch.manual_seed(0)
    return ConvLSTMPredictor(**PRESETS["ci"]).requires_grad_(False)


def test_the_loss_is_that_of_the_future_and_half_that_of_the_past(model):
    indices = [3, 8, 11]
    batch = DigitData(num_frames=6).batch(indices)
    clips = batch.clips()
    found = compute_loss(model, batch, KeyedNoise(0, indices), num_scheduled=0)
    logits = model(clips[:, :, :3], 3).logits  # nothing but predictions is read
    assert torch.allclose(found["past"], prediction_loss(logits[:, :, :2], clips[:, :, 1:3]))
    assert torch.allclose(found["future"], prediction_loss(logits[:, :, 2:], clips[:, :, 3:]))
    assert torch.allclose(found["loss"], found["future"] + PAST_WEIGHT * found["past"])


def test_at_the_first_clips_of_a_schedule_the_truth_is_read(model):
    """Clips 0 and 1 of a million: the future is expected as if all of it were the past."""
    batch = DigitData(num_frames=6).batch([0, 1])
    clips = batch.clips()
    found = compute_loss(model, batch, KeyedNoise(0, [0, 1]), num_scheduled=10**9)
    read = model(clips[:, :, :5], 1).logits
    assert torch.allclose(found["future"], prediction_loss(read[:, :, 2:], clips[:, :, 3:]), atol=1e-6)


def test_an_oracle_is_perfect_and_the_lazy_are_what_they_are(monkeypatch):
    """A predictor that knows the test set has no error; the baselines' numbers do not depend on who is measured."""
    monkeypatch.setattr(measures, "SETTINGS", {"small": 3})
    monkeypatch.setattr(measures, "BATCH", 2)
    monkeypatch.setattr(measures, "NUM_AVERAGED", 8)
    future = DigitData("test").batch(range(3)).clips()[:, :, 10:]
    start = iter([0, 2])

    def oracle(past, num_future):
        k = next(start)
        return SimpleNamespace(sample=future[k : k + len(past)])

    found = measures.measure(oracle, "small")
    assert found["mse"] == found["mae"] == found["mse_of_best_baseline"] == 0
    assert found["ssim"] == pytest.approx(1) and found["mse_frame_10"] == 0

    def last(past, num_future):
        return SimpleNamespace(sample=past[:, :, -1:].expand(-1, -1, num_future, -1, -1))

    same = measures.measure(last, "small")
    assert same["mse"] == pytest.approx(same["last_frame/mse"]) and same["mse"] > 100
    lazy = [name for name in found if "/" in name]
    assert {name: found[name] for name in lazy} == {name: same[name] for name in lazy} and len(lazy) == 8
    lowest = min(same[name] for name in lazy if name.endswith("/mse"))
    assert same["mse_of_best_baseline"] == pytest.approx(same["mse"] / lowest) and same["mse_of_best_baseline"] >= 1


def test_a_setting_that_is_none():
    with pytest.raises(ValueError, match="huge"):
        measures.measure(None, "huge")


def test_a_short_training_makes_weights_that_load(tmp_path):
    """Two steps: what comes out is the running mean, and `from_pretrained` gives the model that was trained."""
    _, settings = RECIPE.at("main", "ci")
    weights = train(RECIPE, "ci", folder=tmp_path, settings=replace(settings, steps=2, warmup_steps=0), quiet=True)
    model = ConvLSTMPredictor.from_pretrained(weights)
    assert dict(model.config)["fine_channels"] == PRESETS["ci"]["fine_channels"]
    assert (tmp_path / "sheets" / "step_00000002.png").is_file()
