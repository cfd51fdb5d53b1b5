"""`TextToVideoPipeline` keeps the promises that diffusers' own tests demand of a pipeline (`PipelineTesterMixin`).

Its cases are told anew here, since diffusers does not ship them: saving and loading, dtypes, batches, callbacks,
several videos per prompt, interruption, and what a call may be given. Small models of random weights; 15 seconds.
"""

import inspect
from itertools import product

import numpy as np
import pytest
import torch
from diffusers.callbacks import MultiPipelineCallbacks, PipelineCallback
from diffusers.utils import export_to_video
from PIL import Image

from common.models.autoencoder import PRESETS as VAE_PRESETS
from common.models.autoencoder import CausalVideoVAE
from common.models.dit import PRESETS, VideoDiT
from common.models.shipped import WeightsError
from common.pipelines import TextToVideoPipeline
from common.pipelines.inputs import first_frames
from common.video import VideoReader

STAR, CIRCLE = "a small red star moves left over a blue field", "a large yellow circle bounces over a green field"
SIZE = {"num_frames": 5, "height": 32, "width": 48}
SMALL = {**SIZE, "num_inference_steps": 3}


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FLIPBOOK_CACHE", str(tmp_path / "cache"))


def small_parts() -> dict:
    """Two models whose gates are open, so that prompt, image and noise all count."""
    torch.manual_seed(0)
    dit = VideoDiT(**PRESETS["ci"]).eval()
    vae = CausalVideoVAE(**VAE_PRESETS["ci"], latents_mean=[0.1] * 16, latents_std=[1.5] * 16).eval()
    for p in dit.parameters():
        if p.abs().max() == 0:
            torch.nn.init.normal_(p, std=0.05)
    return {"transformer": dit, "vae": vae}


def quiet(pipe: TextToVideoPipeline) -> TextToVideoPipeline:
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.fixture(scope="module")
def pipe() -> TextToVideoPipeline:
    return quiet(TextToVideoPipeline(**small_parts()))


def latents_of(pipe, prompt=STAR, **options) -> torch.Tensor:
    return pipe(prompt, **{**SMALL, "generator": 0, "output_type": "latent"} | options).frames


# ------------------------------------------------------------------------------------------------ the call


def test_the_call_has_diffusers_names(pipe):
    """`required_optional_params` of the tester, and the attributes that callbacks and hooks look at."""
    has = inspect.signature(pipe.__call__).parameters
    assert {"num_inference_steps", "num_videos_per_prompt", "generator", "latents", "output_type", "return_dict",
            "callback_on_step_end", "callback_on_step_end_tensor_inputs"} <= set(has)  # fmt: skip
    assert set(pipe.components) == {"transformer", "vae"} and pipe.interrupt is False
    with pytest.raises(TypeError):
        pipe(STAR, no_such_option=1)


def test_dictionary_and_tuple_are_the_same(pipe):
    assert torch.equal(pipe(STAR, **SMALL, generator=0)[0], pipe(STAR, **SMALL, generator=0, return_dict=False)[0])


def test_a_batch_is_its_prompts_one_by_one(pipe):
    """Batch consistency: with a seed per video a prompt has the clip that it has alone."""
    for size in (1, 2, 3):
        batch = latents_of(pipe, [STAR, CIRCLE, STAR][:size], generator=[5, 6, 7][:size])
        for prompt, seed, found in zip([STAR, CIRCLE, STAR], [5, 6, 7], batch):
            assert torch.allclose(latents_of(pipe, prompt, generator=seed)[0], found, atol=1e-4)


@pytest.mark.parametrize("num_videos, prompts", [(1, 1), (2, 1), (1, 2), (3, 2)])
def test_several_videos_per_prompt_follow_each_other(pipe, num_videos, prompts):
    asked, seeds = [STAR, CIRCLE][:prompts], list(range(num_videos * prompts))
    found = latents_of(pipe, asked, num_videos_per_prompt=num_videos, generator=seeds)
    assert len(found) == num_videos * prompts
    for k, (prompt, _) in enumerate(product(asked, range(num_videos))):
        assert torch.allclose(latents_of(pipe, prompt, generator=seeds[k])[0], found[k], atol=1e-4)


def test_without_guidance_the_negative_prompt_does_not_count(pipe):
    alone = latents_of(pipe, guidance_scale=1.0)
    assert pipe.guidance_scale == 1 and not pipe.do_classifier_free_guidance
    assert torch.equal(alone, latents_of(pipe, guidance_scale=1.0, negative_prompt=CIRCLE))
    assert not torch.allclose(alone, latents_of(pipe, guidance_scale=7.5), atol=1e-3)
    assert pipe.do_classifier_free_guidance


def test_a_negative_prompt_is_none_a_string_or_one_per_prompt(pipe):
    both = [STAR, CIRCLE]
    plain = latents_of(pipe, both, generator=[1, 2])
    for same in (None, "", ["", ""], ("", "")):
        assert torch.equal(latents_of(pipe, both, generator=[1, 2], negative_prompt=same), plain)
    each = latents_of(pipe, both, generator=[1, 2], negative_prompt=[CIRCLE, ""])
    assert torch.allclose(each[1], plain[1], atol=1e-4) and not torch.allclose(each[0], plain[0], atol=1e-3)
    every = latents_of(pipe, both, generator=[1, 2], negative_prompt=CIRCLE)
    assert torch.allclose(every[0], each[0], atol=1e-4) and not torch.allclose(every[1], plain[1], atol=1e-3)
    several = latents_of(pipe, both, generator=[1, 1, 2, 2], negative_prompt=[CIRCLE, ""], num_videos_per_prompt=2)
    assert torch.allclose(several[[0, 2]], each, atol=1e-4)


def test_a_seed_is_its_generator_in_whatever_it_comes(pipe):
    generator = lambda seed: torch.Generator().manual_seed(seed)  # noqa: E731
    both = [STAR, CIRCLE]
    wanted = latents_of(pipe, both, generator=generator(3))
    assert torch.equal(latents_of(pipe, both, generator=3), wanted)
    assert torch.equal(latents_of(pipe, both, generator=np.int64(3)), wanted)
    wanted = latents_of(pipe, both, generator=[generator(3), generator(4)])
    for same in ((3, 4), [3, generator(4)], (generator(3), 4)):
        assert torch.equal(latents_of(pipe, both, generator=same), wanted)
    torch.manual_seed(3)
    assert torch.equal(latents_of(pipe, both, generator=None), latents_of(pipe, both, generator=generator(3)))


@pytest.mark.parametrize(
    "given, said",
    [
        ({"prompt": None}, "got None"),
        ({"prompt": [STAR, 3]}, "list of strings"),
        ({"prompt": []}, "no prompt"),
        ({"negative_prompt": [STAR]}, "1 for 2 prompts"),
        ({"negative_prompt": 7}, "got 7"),
        ({"generator": [0]}, "1 for 2 videos"),
        ({"generator": [0, 1], "num_videos_per_prompt": 2}, "2 for 4 videos"),
        ({"generator": "seed"}, "'seed'"),
        ({"generator": [0, None]}, "None"),
        ({"generator": 2**64}, str(2**64)),
        ({"num_videos_per_prompt": 0}, "got 0"),
        ({"num_videos_per_prompt": 1.5}, "got 1.5"),
        ({"num_inference_steps": 2.5}, "num_inference_steps is a whole number, got 2.5"),
        ({"height": 16.0}, "height is a whole number, got 16.0"),
        ({"num_frames": "5"}, "num_frames is a whole number, got '5'"),
        ({"callback_on_step_end": "step"}, "is a function or None, got 'step'"),
        ({"output_type": "tf"}, "pt, np, pil, latent"),
        ({"callback_on_step_end_tensor_inputs": ["latents", "noise"]}, "noise"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(pipe, given, said):
    with pytest.raises(ValueError, match=said):
        pipe(**{"prompt": [STAR, CIRCLE]} | SMALL | given)


# ------------------------------------------------------------------------------------------------ callbacks


def test_a_callback_gets_what_it_asked_for(pipe):
    told = []

    def look(pipeline, index, timestep, given):
        told.append((index, timestep.item(), set(given), pipeline.current_timestep.item(), pipeline.num_timesteps))
        return given

    latents_of(pipe, [STAR, CIRCLE], callback_on_step_end=look)
    assert [row[0] for row in told] == [0, 1, 2] and all(row[2] == {"latents"} for row in told)
    assert told[0][1] == 1000 and [row[1] for row in told] == sorted((row[1] for row in told), reverse=True)
    assert all(row[1] == row[3] and row[4] == 3 for row in told) and pipe.current_timestep is None
    latents_of(pipe, callback_on_step_end=look, callback_on_step_end_tensor_inputs=[])
    assert told[-1][2] == set()


def test_latents_that_a_callback_returns_count(pipe):
    """Those of the last step are the result; those of an earlier step are where the sampler goes on."""

    def zeros_at(step):
        return lambda p, i, t, kept: {"latents": torch.zeros_like(kept["latents"])} if i == step else kept

    assert latents_of(pipe, callback_on_step_end=zeros_at(2)).abs().sum() == 0
    told = []

    def change(pipeline, index, timestep, kept):
        told.append(kept["latents"].clone())
        return {"latents": kept["latents"] + 1} if index == 0 else {}

    changed = latents_of(pipe, eta=0.0, callback_on_step_end=change)
    plain, rest = latents_of(pipe, eta=0.0), []
    latents_of(pipe, eta=0.0, callback_on_step_end=lambda p, i, t, kept: rest.append(kept["latents"].clone()))
    assert torch.equal(told[0], rest[0]) and not torch.allclose(told[1], rest[1], atol=1e-2)
    assert not torch.allclose(changed, plain, atol=1e-2)
    with pytest.raises(ValueError, match="latents"):
        latents_of(pipe, callback_on_step_end=lambda p, i, t, kept: {"latents": kept["latents"][:, :1]})


def test_a_callback_changes_guidance_on_the_way(pipe):
    def more(pipeline, index, timestep, given):
        pipeline._guidance_scale += 1.0
        return given

    found = latents_of(pipe, guidance_scale=2.0, callback_on_step_end=more)
    assert pipe.guidance_scale == 2.0 + pipe.num_timesteps
    assert not torch.allclose(found, latents_of(pipe, guidance_scale=2.0), atol=1e-4)


def test_an_interrupted_call_gives_what_it_has(pipe):
    told = []

    def stop(pipeline, index, timestep, given):
        told.append(given["latents"].clone())
        pipeline._interrupt = index == 1
        return given

    assert torch.equal(latents_of(pipe, callback_on_step_end=stop), told[1]) and len(told) == 2
    assert pipe.interrupt and torch.equal(latents_of(pipe), latents_of(pipe))
    assert not pipe.interrupt  # a new call begins anew


def test_diffusers_callback_objects_say_what_they_want(pipe):
    class Shift(PipelineCallback):
        tensor_inputs = ["latents"]

        def callback_fn(self, pipeline, step_index, timesteps, callback_kwargs):
            return {"latents": callback_kwargs["latents"] + 1}

    by_object = latents_of(pipe, callback_on_step_end=Shift())
    by_function = latents_of(pipe, callback_on_step_end=lambda p, i, t, kept: {"latents": kept["latents"] + 1})
    assert torch.equal(by_object, by_function)
    twice = latents_of(pipe, callback_on_step_end=MultiPipelineCallbacks([Shift(), Shift()]))
    assert not torch.allclose(twice, by_object, atol=1e-2)


# ------------------------------------------------------------------------------------------------ what comes out


def test_each_output_type_is_the_same_clip(pipe):
    clips = pipe(STAR, **SMALL, generator=0, num_videos_per_prompt=2).frames
    assert clips.shape == (2, 3, 5, 32, 48) and clips.dtype == torch.float32 and -1 <= clips.min() < 0
    latents = latents_of(pipe, num_videos_per_prompt=2)
    with torch.no_grad():
        assert torch.equal(pipe.decode(latents), clips)
    frames = pipe(STAR, **SMALL, generator=0, num_videos_per_prompt=2, output_type="np").frames
    assert frames.dtype == np.float32 and frames.shape == (2, 5, 32, 48, 3)
    assert 0 <= frames.min() < 0.5 < frames.max() <= 1
    assert np.allclose(frames.transpose(0, 4, 1, 2, 3), (clips.numpy() + 1) / 2, atol=1e-6)
    pictures = pipe(STAR, **SMALL, generator=0, num_videos_per_prompt=2, output_type="pil").frames
    assert [len(clip) for clip in pictures] == [5, 5] and pictures[0][0].size == (48, 32)
    assert np.abs(np.stack(pictures[1]) / 255.0 - frames[1]).max() <= 0.5 / 255 + 1e-6


def test_diffusers_own_export_writes_the_video_and_not_its_negative(pipe, tmp_path):
    image = np.full((32, 48, 3), 0.85, dtype=np.float32)
    size = {**SIZE, "num_frames": 1}
    for kind in ("np", "pil"):
        frames = pipe(STAR, image, **size, num_inference_steps=1, output_type=kind).frames[0]
        wanted = np.stack([np.asarray(frame, np.float64) for frame in frames]).mean() * (255 if kind == "np" else 1)
        path = export_to_video([*frames] * 4, str(tmp_path / f"{kind}.mp4"), fps=8)
        with VideoReader(path) as reader:
            assert abs(reader.read([1]).mean() - wanted) < 6


# ------------------------------------------------------------------------------------------------ images


def pictures_of(pixels: np.ndarray) -> dict:
    """One picture, uint8 `(H, W, 3)`, in every form that the pipeline takes."""
    tensor = torch.from_numpy(pixels).permute(2, 0, 1)
    return {
        "pil": Image.fromarray(pixels),
        "uint8 array": pixels,
        "float array": pixels.astype(np.float32) / 255,
        "float64 array": pixels / 255.0,
        "flipped array": pixels[::-1, ::-1][::-1, ::-1],
        "uint8 tensor": tensor,
        "float tensor": tensor.float() / 127.5 - 1,
    }


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (32, 48, 3), dtype=np.uint8)


def test_a_picture_is_the_same_in_every_form(pixels):
    wanted = torch.from_numpy(pixels).permute(2, 0, 1).float() / 127.5 - 1
    for name, image in pictures_of(pixels).items():
        for given in (image, [image], (image, image)):
            found = first_frames(given, 32, 48, num_prompts=2)
            assert found.shape == (2, 3, 32, 48) and torch.allclose(found[1], wanted, atol=1e-6), name
    stacked = np.stack([pixels, 255 - pixels])
    for batch in (stacked, stacked / 255.0, torch.from_numpy(stacked).permute(0, 3, 1, 2),
                  [Image.fromarray(pixels), torch.from_numpy(255 - pixels).permute(2, 0, 1)]):  # fmt: skip
        found = first_frames(batch, 32, 48, num_prompts=2, num_videos_per_prompt=2)
        assert torch.allclose(found, torch.stack([wanted, wanted, -wanted, -wanted]), atol=1e-6)


def test_pictures_of_other_modes_and_sizes_become_rgb():
    grey = Image.fromarray(np.full((8, 8), 128, np.uint8))
    assert torch.allclose(first_frames(grey, 32, 48, 1), torch.full((1, 3, 32, 48), 128 / 127.5 - 1), atol=1e-6)
    clear = Image.new("RGBA", (96, 64), (0, 0, 0, 0))
    assert (first_frames(clear, 32, 48, 1) == 1).all()  # what is transparent is white
    deep = Image.fromarray(np.full((32, 48), 128 * 257, np.uint16))  # 16 bits per pixel
    assert torch.allclose(first_frames(deep, 32, 48, 1), torch.full((1, 3, 32, 48), 128 / 127.5 - 1), atol=1e-6)
    wide = Image.fromarray(np.repeat(np.repeat(np.array([[[255, 0, 0], [0, 0, 255]]], np.uint8), 64, 0), 48, 1))
    found = first_frames(wide, 32, 48, 1)
    assert found[0, 0, :, :20].min() > 0.9 and found[0, 2, :, 28:].min() > 0.9


def test_what_the_pipeline_gives_it_takes_again(pipe):
    outputs = {kind: pipe(STAR, **SMALL, generator=0, output_type=kind).frames for kind in ("pt", "np", "pil")}
    firsts = {"pt": outputs["pt"][0][:, 0], "np": outputs["np"][0, 0], "pil": outputs["pil"][0][0]}
    found = {kind: latents_of(pipe, image=image) for kind, image in firsts.items()}
    assert torch.allclose(found["np"], found["pt"], atol=1e-4) and torch.allclose(found["pil"], found["pt"], atol=0.1)


def test_each_prompt_has_its_own_first_frame(pipe, pixels):
    both = latents_of(pipe, [STAR, CIRCLE], image=[pixels, 255 - pixels], generator=[1, 2])
    for prompt, image, seed, found in zip((STAR, CIRCLE), (pixels, 255 - pixels), (1, 2), both):
        assert torch.allclose(latents_of(pipe, prompt, image=image, generator=seed)[0], found, atol=1e-4)


@pytest.mark.parametrize(
    "image, said",
    [
        (np.zeros((3, 32, 48), np.uint8), "3, 32, 48"),
        (torch.zeros(32, 48, 3), "32, 48, 3"),
        (np.zeros((32, 48, 3)) - 1, "-1 to -1"),
        (np.full((32, 48, 3), 200.0), "200 to 200"),
        (torch.full((3, 32, 48), 255.0), "255 to 255"),
        (torch.full((3, 32, 48), float("nan")), "nan"),
        (np.zeros((32, 48, 3), np.int64), "int64"),
        ("picture.png", "str"),
        ([], "0 for 2 prompts"),
        (np.zeros((3, 32, 48, 3), np.uint8), "3 for 2 prompts"),
        (Image.new("F", (48, 32)), "'F'"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(pipe, image, said):
    with pytest.raises(ValueError, match=said):
        pipe([STAR, CIRCLE], image, **SMALL)


# ------------------------------------------------------------------------------------------------ save and load


def test_saved_and_loaded_it_makes_the_same_clip(pipe, tmp_path):
    pipe.save_pretrained(tmp_path)
    loaded = quiet(TextToVideoPipeline.from_pretrained(tmp_path))
    assert torch.equal(latents_of(loaded), latents_of(pipe))
    assert all(not part.training for part in (loaded.transformer, loaded.vae))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_makes_nearly_the_same_clip(pipe, tmp_path, dtype):
    pipe.save_pretrained(tmp_path)
    loaded = quiet(TextToVideoPipeline.from_pretrained(tmp_path, torch_dtype=dtype))
    assert {p.dtype for part in (loaded.transformer, loaded.vae) for p in part.parameters()} == {dtype}
    found = loaded(STAR, **SMALL, generator=0, output_type="np").frames
    wanted = pipe(STAR, **SMALL, generator=0, output_type="np").frames
    assert found.dtype == np.float32 and np.abs(found - wanted).mean() < 0.03
    loaded.to(dtype=torch.float32)
    assert {p.dtype for p in loaded.transformer.parameters()} == {torch.float32}


def test_parts_are_passed_from_pipeline_to_pipeline(pipe, tmp_path):
    again = quiet(TextToVideoPipeline(**pipe.components))
    assert torch.equal(latents_of(again), latents_of(pipe))
    pipe.save_pretrained(tmp_path)
    other = VideoDiT(**PRESETS["ci"])
    loaded = TextToVideoPipeline.from_pretrained(tmp_path, transformer=other)
    assert loaded.transformer is other


def test_a_part_that_lost_weights_is_not_filled_with_untrained_ones(pipe, tmp_path):
    from safetensors.torch import load_file, save_file

    pipe.save_pretrained(tmp_path)
    path = tmp_path / "transformer" / "diffusion_pytorch_model.safetensors"
    weights = load_file(path)
    del weights["patches_out.weight"]
    save_file(weights, path)
    with pytest.raises(WeightsError, match=r"lacks patches_out\.weight"):
        TextToVideoPipeline.from_pretrained(tmp_path)


def test_parts_that_do_not_fit_are_refused():
    parts = small_parts()
    with pytest.raises(ValueError, match="got None"):
        TextToVideoPipeline(**parts | {"vae": None})
    with pytest.raises(ValueError, match="latent_channels in its config, got a Linear"):
        TextToVideoPipeline(**parts | {"vae": torch.nn.Linear(2, 2)})
    with pytest.raises(ValueError, match="in_channels in its config, got a CausalVideoVAE"):
        TextToVideoPipeline(**parts | {"transformer": parts["vae"]})
    with pytest.raises(ValueError, match="8 channels"):
        TextToVideoPipeline(**parts | {"transformer": VideoDiT(**PRESETS["ci"], in_channels=8)})
