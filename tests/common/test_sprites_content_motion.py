"""The recipes and measures of the split VAE and its entangled twin, at their smallest."""

import json
import math
from dataclasses import replace

import pytest
import torch

from common.models.content_motion import PRESETS, ContentMotionVAE, EntangledVAE
from common.training import train
from common.training.keyed_noise import KeyedNoise
from common.zoo.sprites_content_motion import measures, recipe
from common.zoo.sprites_entangled import measures as twin_measures
from common.zoo.sprites_entangled import recipe as twin_recipe


@pytest.fixture
def pixels():
    return recipe.Pixels().batch(range(3))


def test_a_step_sees_other_frames_of_each_clip_in_any_order(pixels):
    clips = recipe.as_clips(pixels)
    drawn = recipe.drawn_frames(clips, KeyedNoise(0, range(3)))
    assert drawn.shape == (3, 3, 4, 32, 32)
    chosen = []
    for clip, frames in zip(clips, drawn):
        chosen.append([next(t for t in range(9) if torch.equal(clip[:, t], frames[:, k])) for k in range(4)])
    assert all(len(set(row)) == 4 for row in chosen) and len({tuple(row) for row in chosen}) == 3
    assert any(row != sorted(row) for row in chosen)


def test_the_prior_learns_and_the_codes_keep_still(pixels):
    torch.manual_seed(0)
    model = ContentMotionVAE(**PRESETS["ci"])
    recipe.prior_loss(model, pixels, KeyedNoise(0, range(3)))["loss"].backward()
    touched = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert touched == {"prior"}
    model.zero_grad(set_to_none=True)
    recipe.compute_loss(model, pixels, KeyedNoise(0, range(3)))["loss"].backward()
    touched = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert touched == {"encoder", "heads", "decoder"}


@pytest.mark.parametrize("which", [recipe, twin_recipe], ids=["split", "entangled"])
def test_a_few_steps_of_the_recipe_lower_its_loss(which, tmp_path):
    settings = replace(which.RECIPE.stages["main"].settings["ci"], steps=50, warmup_steps=3, log_every=1)
    weights = train(which.RECIPE, "ci", folder=tmp_path, settings=settings, quiet=True)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    losses = [row["loss"] for row in rows]
    assert sum(losses[-10:]) < 0.87 * sum(losses[:10])  # 0.77 and 0.78; batches differ, so not one step and another
    assert {"pixels", "content", "motion"} <= set(rows[0])
    assert (weights / "config.json").is_file()


def test_the_measures_have_every_set_and_the_truth_passes_the_bar(monkeypatch):
    monkeypatch.setitem(measures.SETTINGS, "small", 12)
    torch.manual_seed(0)
    found = measures.measure(ContentMotionVAE(**PRESETS["ci"]).eval(), "small")
    assert {name.split("/")[0] for name in found} == {
        "swap", "unseen", "from_still", "to_still", "truth", "copy", "psnr", "prior", "independent"
    }  # fmt: skip
    assert found["truth/content"] >= 0.9 and found["truth/motion"] >= 0.9
    assert found["copy/content"] >= 0.9 and found["copy/motion"] < 0.6
    assert found["swap/both"] < 0.2, "an untrained model cannot swap"
    assert all(math.isfinite(value) for name, value in found.items() if not name.endswith("off"))


def test_the_twin_gets_the_number_of_directions_that_serves_it_best(monkeypatch):
    monkeypatch.setitem(measures.SETTINGS, "small", 6)
    monkeypatch.setattr(twin_measures, "NUM_FITTED", 32)
    monkeypatch.setattr(twin_measures, "NUM_DIRECTIONS", (2, 19))
    torch.manual_seed(0)
    model = EntangledVAE(**PRESETS["ci"]).eval()
    found = twin_measures.measure(model, "small")
    assert found["directions"] == 2  # 19 is all there are, and would leave nothing of the content
    with pytest.raises(ValueError, match="medium"):
        twin_measures.measure(model, "medium")
