"""diffusers' own pipelines: the tiny instances that the course stands on run, and their absence is one sentence."""

import sys

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLTemporalDecoder,
    DDIMScheduler,
    EulerDiscreteScheduler,
    MotionAdapter,
    UNet2DConditionModel,
    UNetSpatioTemporalConditionModel,
)
from PIL import Image

from common.pipelines import published

GROUPS = 32  # diffusers' UNets normalise in 32 groups: no fewer channels
IMAGE_VAE = {"block_out_channels": (32, 32), "latent_channels": 4, "layers_per_block": 1, "norm_num_groups": GROUPS}


def text_encoder():
    transformers = pytest.importorskip("transformers")
    config = transformers.CLIPTextConfig(
        vocab_size=64, hidden_size=32, intermediate_size=37, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=16,
    )  # fmt: skip
    return transformers.CLIPTextModel(config)


def image_vae() -> AutoencoderKL:
    blocks = {
        "down_block_types": ["DownEncoderBlock2D"] * 2,
        "up_block_types": ["UpDecoderBlock2D"] * 2,
    }
    return AutoencoderKL(**IMAGE_VAE, **blocks)


def image_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8, block_out_channels=(32, 64), layers_per_block=1, cross_attention_dim=32, attention_head_dim=2,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )  # fmt: skip


def text_inputs() -> dict:
    """Embeddings in place of words: (B, L, C) = (1, 5, 32)."""
    generator = torch.Generator().manual_seed(1)
    prompts = {n: torch.randn(1, 5, 32, generator=generator) for n in ("prompt_embeds", "negative_prompt_embeds")}
    return {**prompts, "num_inference_steps": 2, "output_type": "np", "height": 16, "width": 24}


def test_a_tiny_stable_diffusion_runs():
    pipe = published.pipeline_class("StableDiffusionPipeline")(
        vae=image_vae(), text_encoder=text_encoder(), tokenizer=None, unet=image_unet(),
        scheduler=DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    assert pipe(**text_inputs()).images.shape == (1, 16, 24, 3)


def animate_diff():
    adapter = MotionAdapter(
        block_out_channels=(32, 64), motion_layers_per_block=1, motion_norm_num_groups=GROUPS,
        motion_num_attention_heads=2, use_motion_mid_block=False,
    )  # fmt: skip
    return published.pipeline_class("AnimateDiffPipeline", lora=True)(
        vae=image_vae(), text_encoder=text_encoder(), tokenizer=None, unet=image_unet(), motion_adapter=adapter,
        scheduler=DDIMScheduler(beta_schedule="linear", clip_sample=False, steps_offset=1),
        feature_extractor=None, image_encoder=None,
    )  # fmt: skip


def test_a_tiny_animate_diff_runs():
    assert animate_diff()(num_frames=3, **text_inputs()).frames.shape == (1, 3, 16, 24, 3)


def test_a_lora_goes_into_a_tiny_model_and_out_again(tmp_path):
    """An adapter changes the output; loaded again from its file, it gives the same output."""
    peft = pytest.importorskip("peft")
    pipe, inputs = animate_diff(), text_inputs()
    before = pipe(num_frames=3, generator=torch.Generator().manual_seed(0), **inputs).frames
    # The file keeps no alpha: loaded, it is the rank.
    config = peft.LoraConfig(r=2, lora_alpha=2, init_lora_weights=False, target_modules=["to_q", "to_v"])
    pipe.unet.add_adapter(config)
    with_lora = pipe(num_frames=3, generator=torch.Generator().manual_seed(0), **inputs).frames
    assert abs(with_lora - before).max() > 1e-3
    layers = peft.get_peft_model_state_dict(pipe.unet)
    pipe.save_lora_weights(tmp_path, unet_lora_layers=layers)
    pipe.unet.delete_adapters("default")
    pipe.load_lora_weights(tmp_path)
    again = pipe(num_frames=3, generator=torch.Generator().manual_seed(0), **inputs).frames
    assert abs(again - with_lora).max() < 1e-4


def test_a_tiny_stable_video_diffusion_runs():
    """SVD looks at its picture with a CLIP image encoder whose input is always 224 pixels square."""
    transformers = pytest.importorskip("transformers")
    config = transformers.CLIPVisionConfig(
        hidden_size=32, projection_dim=32, num_hidden_layers=1, num_attention_heads=2, image_size=224, patch_size=32,
        intermediate_size=37,
    )  # fmt: skip
    unet = UNetSpatioTemporalConditionModel(
        block_out_channels=(32, 64), layers_per_block=1, sample_size=8, in_channels=8, cross_attention_dim=32,
        num_attention_heads=2, projection_class_embeddings_input_dim=96, addition_time_embed_dim=32,
        down_block_types=("CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"),
        up_block_types=("UpBlockSpatioTemporal", "CrossAttnUpBlockSpatioTemporal"),
    )  # fmt: skip
    vae = AutoencoderKLTemporalDecoder(
        block_out_channels=(32, 32), latent_channels=4, layers_per_block=1, down_block_types=["DownEncoderBlock2D"] * 2
    )
    scheduler = EulerDiscreteScheduler(
        prediction_type="v_prediction", use_karras_sigmas=True, sigma_min=0.002, sigma_max=700.0,
        timestep_type="continuous",
    )  # fmt: skip
    pipe = published.pipeline_class("StableVideoDiffusionPipeline")(
        vae=vae, unet=unet, scheduler=scheduler, feature_extractor=transformers.CLIPImageProcessor(),
        image_encoder=transformers.CLIPVisionModelWithProjection(config),
    )  # fmt: skip
    picture = Image.new(
        "RGB", (24, 16), "orange"
    )  # of a picture the pipeline makes 224 pixels, of a tensor it does not
    frames = pipe(
        picture, height=16, width=24, num_frames=3, fps=4, num_inference_steps=2, output_type="np",
        decode_chunk_size=3, generator=torch.Generator().manual_seed(0),
    ).frames  # fmt: skip
    assert frames.shape == (1, 3, 16, 24, 3)


@pytest.mark.parametrize("absent", ["transformers", "peft"])
def test_without_a_package_of_the_extra_it_is_one_sentence(monkeypatch, absent):
    true_spec = published.find_spec
    monkeypatch.setattr(published, "find_spec", lambda name: None if name == absent else true_spec(name))
    with pytest.raises(ImportError) as caught:
        published.pipeline_class("AnimateDiffPipeline", lora=True)
    said = str(caught.value)
    assert said.startswith(f"{absent} ") and "pip install 'flipbook-video[models]'" in said and "\n" not in said


def test_a_misspelt_pipeline_names_the_nearest(monkeypatch):
    monkeypatch.setattr(published, "find_spec", lambda name: sys)
    with pytest.raises(ValueError, match="did you mean 'AnimateDiffPipeline'"):
        published.pipeline_class("AnimatDiffPipeline")
    with pytest.raises(ValueError, match="no pipeline 'UNet2DModel'"):
        published.pipeline_class("UNet2DModel")
