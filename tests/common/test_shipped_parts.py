"""Both pipelines of a transformer and an autoencoder load by the name of shipped weights, in one way."""

import pytest
import torch

from common.models.autoencoder import CausalVideoVAE
from common.models.shipped import WeightsError
from common.pipelines.latent_upscale import LatentUpscalePipeline
from common.pipelines.shipped_parts import VAE
from common.pipelines.text_to_video import TextToVideoPipeline

PAIRS = [(TextToVideoPipeline, "sprites-t2v"), (LatentUpscalePipeline, "sprites-upscaler")]


@pytest.mark.parametrize(("pipeline", "name"), PAIRS)
def test_a_part_that_is_given_is_used(pipeline, name):
    vae = CausalVideoVAE.from_pretrained(VAE)
    pipe = pipeline.from_pretrained(name, vae=vae, dtype=torch.bfloat16, local_files_only=True)
    assert pipe.vae is vae and pipe.vae.dtype == torch.float32
    assert pipe.transformer.dtype == torch.bfloat16 and not pipe.transformer.training


@pytest.mark.parametrize(("pipeline", "name"), PAIRS)
def test_what_would_have_no_effect_is_refused(pipeline, name):
    with pytest.raises(ValueError, match="transformer, vae and dtype, not with revision"):
        pipeline.from_pretrained(name, revision="fp16")


@pytest.mark.parametrize(
    ("pipeline", "other"), [(TextToVideoPipeline, "sprites-upscaler"), (LatentUpscalePipeline, "sprites-t2v")]
)
def test_weights_of_another_model_are_refused(pipeline, other):
    with pytest.raises(WeightsError, match=pipeline.transformer_class().__name__):
        pipeline.from_pretrained(other)


@pytest.mark.parametrize(("pipeline", "name"), PAIRS)
def test_a_saved_pipeline_loads_again(pipeline, name, tmp_path):
    pipe = pipeline.from_pretrained(name)
    pipe.save_pretrained(tmp_path)
    again = pipeline.from_pretrained(tmp_path)
    for one, other in zip(pipe.transformer.parameters(), again.transformer.parameters()):
        assert torch.equal(one, other)
