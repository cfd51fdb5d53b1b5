"""`flipbook animate`: a picture to a video, its notes, and what it refuses."""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from common.cli import animate as module
from common.cli.animate import animate, notes, unseen
from common.data.sprites import ObjectWords, SceneWords, render, scene_of
from common.data.sprites.prompts import PromptReading
from common.layers.temporal import TemporalResnetBlock
from common.models.frame_vae import FrameVAE
from common.models.inflated_model import InflatedUNet
from common.models.inflated_unet import new_parameters
from common.video import VideoReader
from common.zoo.sprites_image.recipe import RECIPE

WORDS = SceneWords((ObjectWords("star", "red", "small", "left"),), "field", "blue")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A small untrained model, saved whole."""
    torch.manual_seed(0)
    place = tmp_path_factory.mktemp("weights")
    model = InflatedUNet.of(RECIPE.build_model("ci"), in_channels=32, num_frames=8)
    with torch.no_grad():
        for parameter in new_parameters(model).values():  # a fresh model is deaf to what it is told
            parameter += 0.1 * torch.randn(parameter.shape)
    model.save_pretrained(place)
    return str(place)


@pytest.fixture
def star(tmp_path):
    """A picture of the world, four times as large."""
    pixels = render([scene_of(WORDS)], num_frames=1).pixels[0, :, 0].permute(1, 2, 0).numpy()
    Image.fromarray(np.repeat(np.repeat(pixels, 4, axis=0), 4, axis=1)).save(tmp_path / "star.png")
    return str(tmp_path / "star.png")


def run(*words):
    return CliRunner().invoke(animate, [*words, "--steps", "1"])


def test_it_writes_a_video_and_its_sheet(weights, star, tmp_path):
    out = tmp_path / "a.mp4"
    ran = run(star, "--model", weights, "--frames", "5", "--fps", "8", "--raw", "--output", str(out))
    assert ran.exit_code == 0, ran.output
    with VideoReader(out) as reader:
        assert reader.info.num_frames == 5 and round(reader.info.fps) == 8
    assert (tmp_path / "a_sheet.png").is_file() and "5 frames of 64x64, 8 frames per second" in ran.output


def test_a_gif_keeps_the_rate_and_a_sheet_may_be_all(weights, star, tmp_path):
    assert run(star, "--model", weights, "--frames", "3", "--fps", "10", "-o", str(tmp_path / "a.gif")).exit_code == 0
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.info["duration"] == 100
    assert run(star, "--model", weights, "--frames", "3", "-o", str(tmp_path / "alone.png")).exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("alone*")) == ["alone.png"]


def test_the_seed_the_motion_and_the_rate_reach_the_model(weights, star, tmp_path):
    made = {}
    for name, words in {"a": (), "again": (), "seed": ("--seed", "1"), "motion": ("--motion", "1"),
                        "rate": ("--fps", "4")}.items():  # fmt: skip
        out = tmp_path / f"{name}.png"
        assert run(star, "--model", weights, "--frames", "3", *words, "-o", str(out)).exit_code == 0
        made[name] = out.read_bytes()
    assert made["a"] == made["again"] and len(set(made.values())) == 4


def test_the_layers_are_the_library_s_own(weights):
    """So that `--mine` runs the learner's."""
    assert any(isinstance(part, TemporalResnetBlock) for part in module.load(weights).unet.modules())


def test_a_note_says_what_is_cut_off_and_what_the_world_does_not_know(star, tmp_path):
    vae = FrameVAE.from_pretrained("sprites-vae")
    assert notes(star, module.load_image(star, 64, 64), PromptReading(""), vae) == []
    noise = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    wide, blurred = notes(str(tmp_path / "noise.png"), module.load_image(str(tmp_path / "noise.png"), 64, 64),
                          PromptReading(""), vae)  # fmt: skip
    assert "120x80" in wide and "middle square" in wide and "dB" in blurred
    (asked,) = notes(
        star, module.load_image(star, 64, 64), PromptReading("a star", {"jump": None}, is_caption=False), vae
    )
    assert "jump" in asked and '"a star"' in asked


def test_only_the_shipped_weights_have_known_frames_and_rates():
    assert unseen("sprites-svd", 14, 4) == unseen("sprites-svd", 8, 8) == unseen("folder", 40, 30) == []
    long, fast = unseen("sprites-svd", 20, 12)
    assert "14 frames" in long and "at 12" in fast


@pytest.mark.parametrize(
    "words, said",
    [
        (["--output", "a.avi"], "ends in .mp4"),
        (["--output", "missing/a.mp4"], "there is no folder"),
        (["--model", "sprites-t2v"], "is no model that makes pictures move; sprites-svd is"),
        (["--model", "sprites-sdv"], "no shipped weights"),
        (["--prompt", "hello world"], "nothing in "),
        (["--motion", "2"], "motion"),
        (["--frames", "1"], "frames"),
    ],
)
def test_what_does_not_fit_ends_in_a_sentence(star, tmp_path, monkeypatch, words, said):
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(animate, [star, *words])
    assert ran.exit_code in (1, 2) and said in ran.output and "Traceback" not in ran.output, ran.output
    assert [path.name for path in tmp_path.iterdir()] == ["star.png"]


def test_the_picture_is_not_overwritten_and_must_be_one(star, tmp_path):
    assert "would be overwritten" in run(star, "--output", star).output
    (tmp_path / "text.png").write_text("no picture")
    assert "cannot be read as a picture" in run(str(tmp_path / "text.png"), "-o", str(tmp_path / "a.mp4")).output
