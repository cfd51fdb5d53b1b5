"""`film-vae`: what its recipe reads, how its card's clips are cut and its bits counted, and who reconstructs what."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from common import video
from common.cli import reconstruct as reconstruction
from common.data.download import DataError
from common.data.film import FilmData
from common.data.whole_film import WholeFilmData
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.training import KeyedNoise
from common.zoo import shelf
from common.zoo.film_vae import measures, recipe


class Rounding:
    """A coder whose latents are the pixels, with a spread of 0.5, and whose decoder is wrong by 0.02 everywhere."""

    def encode(self, clip):
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: clip))

    def decode(self, z):
        return SimpleNamespace(sample=z + 0.02)

    def normalize(self, z):
        return z / 0.5

    def denormalize(self, z):
        return z * 0.5


def test_the_recipe_reads_the_whole_film_where_it_is_and_the_bundled_shots_where_it_is_not(tmp_path, monkeypatch):
    film = tmp_path / "film.mp4"
    monkeypatch.setattr(recipe, "find_source", lambda name: SimpleNamespace(location=film))
    monkeypatch.setattr(recipe, "source_path", lambda name: film)
    bundled = FilmData("train", 17, 64)
    assert recipe.film("cpu") == bundled and recipe.film("cpu").key == bundled.key
    film.touch()
    assert isinstance(recipe.film("cpu"), WholeFilmData) and recipe.film("cpu").key != bundled.key
    assert recipe.film("ci") == FilmData("train", 5, 32)


def test_a_step_of_every_small_stage_runs():
    model = recipe.build_model("ci")
    for name, stage in recipe.RECIPE.stages.items():
        if "ci" in stage.settings:
            chosen, _ = recipe.RECIPE.at(name, "ci")
            pixels = chosen.data("ci").batch([0, 1])
            parts = chosen.compute_loss(model, pixels, KeyedNoise(0, [0, 1], torch.device("cpu")))
            assert parts["loss"].isfinite() and parts["loss"].requires_grad


def test_the_model_begins_as_sprites_vae_with_more_channels():
    model, old = recipe.build_model("cpu"), shelf.from_pretrained("sprites-vae")
    clip = FilmData("test", 5, 32).batch([0]).float() / 127.5 - 1
    with torch.no_grad():
        assert model.encode(clip).latent_dist.mode().shape[1] == recipe.LATENT_CHANNELS > 16
        assert torch.equal(model(clip).sample, old(clip).sample)


def test_clips_come_from_the_middle_of_each_shot_at_every_step_that_fits(tmp_path):
    """Every frame has its number as its colour: shots of 50, 20 and 4 frames give three clips, one and none."""
    frames = np.broadcast_to(np.arange(74, dtype=np.uint8)[:, None, None, None], (74, 40, 60, 3))
    path = video.write(tmp_path / "numbers.mkv", np.ascontiguousarray(frames), fps=24, codec="ffv1")
    shots = measures.middles(path, (50, 70), rows=16, steps=(1, 2, 3))
    assert [len(shot) for shot in shots] == [3, 1]
    assert all(clip.shape == (3, 17, 16, 24) for shot in shots for clip in shot)
    numbers = [((clip[0, :, 0, 0] + 1) * 127.5).round().int().tolist() for shot in shots for clip in shot]
    assert numbers == [[*range(16, 33)], [*range(8, 41, 2)], [*range(0, 49, 3)], [*range(51, 68)]]


def test_the_interval_draws_shots_and_not_clips():
    """Clips of one shot all alike: the interval is that of two values, however many clips there are."""
    found = measures.interval([30.0] * 50 + [20.0] * 50, [50, 50])
    assert (found["psnr_low"], found["psnr_high"]) == (20, 30)
    assert measures.interval([25.0, 27.0], [2]) == {"psnr_low": 26, "psnr_high": 26}


def test_the_rate_is_that_of_the_coarsest_precision_that_costs_next_to_nothing(monkeypatch):
    """At 0.02 everywhere, rounding to steps of s adds s²/12 to the squared error: 0.1 dB allow s = 0.0105."""
    torch.manual_seed(0)
    clip = torch.rand(3, 17, 16, 16) - 0.5
    monkeypatch.setattr(measures, "h264_psnr", lambda clips, bits: bits)
    monkeypatch.setattr(measures, "PRECISIONS", (1.0, 0.25, 0.02, 0.01))
    found = measures.rate(Rounding(), [clip])
    assert found["precision"] == 0.02  # 0.01 in pixels
    assert found["bits_per_pixel"] == pytest.approx(3 * np.log2(100), abs=0.1)  # three colours
    assert found["psnr_h264"] == pytest.approx(found["bits_per_pixel"] * clip[0].numel())
    assert 20 * np.log10(2 / 0.02) - 0.1 <= found["psnr_rounded"] <= 20 * np.log10(2 / 0.02)


def test_a_mistaken_setting_and_a_street_that_is_not_there_are_said(monkeypatch):
    with pytest.raises(ValueError, match="got 'large'"):
        measures.measure(Rounding(), "large")
    monkeypatch.setenv("FLIPBOOK_CACHE", "/nowhere")
    monkeypatch.setattr(measures, "SETTINGS", {"full": (1, {}, {64: (3,)})})
    with pytest.raises(DataError, match="flipbook data fetch bikes"):
        measures.measure(Rounding(), "full")


# ------------------------------------------------------------------------------------------------ reconstruct


@pytest.fixture
def two_coders(tmp_path, monkeypatch):
    """A zoo of two small coders: `film-vae` gives grey back, `sprites-vae` something brighter than white."""
    for name, brightness in (("sprites_vae", 3.0), ("film_vae", 0.0)):
        place = tmp_path / "zoo" / name
        place.mkdir(parents=True)
        model = CausalVideoVAE(**PRESETS["ci"])
        model.decoder.patches_out.conv.weight.data.zero_()
        model.decoder.patches_out.conv.bias.data.fill_(brightness)
        model.save_pretrained(place)
        (place / "recipe.py").write_text("")
        (place / "card.json").write_text("{}")
    monkeypatch.setattr(shelf, "ROOT", tmp_path / "zoo")
    monkeypatch.setattr(shelf, "model_class", lambda place: CausalVideoVAE)
    monkeypatch.setattr(shelf, "demand_whole", lambda place: None)


def reconstructed(clip, *words, out: Path):
    ran = CliRunner().invoke(reconstruction.reconstruct, [clip, "--num-frames", "5", "--size", "32", *words,
                                                          "-o", str(out)])  # fmt: skip
    assert ran.exit_code == 0 and out.is_file(), ran.output
    return ran.output


def test_without_a_name_the_better_one_is_taken_and_said(two_coders, tmp_path):
    said = reconstructed("3", out=tmp_path / "a.png").splitlines()[0]
    assert said.startswith("model: film-vae (the first 5 frames: sprites-vae ") and ", film-vae " in said
    (shelf.ROOT / "film_vae" / shelf.WEIGHTS).unlink()
    assert reconstructed("3", out=tmp_path / "b.png").startswith("model: sprites-vae")


def test_it_is_chosen_by_the_first_17_frames(two_coders):
    clip = torch.cat([torch.ones(1, 3, 17, 16, 16), -torch.ones(1, 3, 40, 16, 16)], dim=2)
    assert reconstruction.best_model(clip).decoder.patches_out.conv.bias[0] == 3


@pytest.mark.parametrize("option", ["--model", "--weights"])
def test_a_named_model_is_taken_as_it_is(two_coders, tmp_path, option):
    said = reconstructed("3", option, "sprites-vae", out=tmp_path / "a.png")
    assert "model:" not in said and "psnr" in said
