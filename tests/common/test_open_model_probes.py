"""What six classes of diffusers do with a text, by running them: as their code says, which the probes never read."""

import pytest
import torch

from common.models.open_model_inputs import TINY, example_inputs, tiny_instance
from common.models.open_model_probes import GRID, TEXT_LENGTH, as_tokens, probe, text_states

JOINT = {"CogVideoXTransformer3DModel", "MochiTransformer3DModel", "HunyuanVideoTransformer3DModel",
         "FluxTransformer2DModel"}  # fmt: skip
MASKED = {"MochiTransformer3DModel", "LTXVideoTransformer3DModel", "HunyuanVideoTransformer3DModel"}


@pytest.mark.parametrize("name", TINY)
def test_what_each_class_does(name):
    found = probe(name)
    assert found.class_name == name and found.num_parameters < 100_000
    assert found.rewrites_text == (name in JOINT) and found.sees_padding == (name not in MASKED)
    assert found.reaches_all and not found.reads_order


@pytest.mark.parametrize("name", TINY)
def test_tokens_keep_their_places(name):
    """A latent's corner is the last token, whatever layout a class wants."""
    model = tiny_instance(name)
    inputs = example_inputs(model, GRID, TEXT_LENGTH)
    latents = torch.zeros_like(inputs["hidden_states"])
    latents[(0, -1) if latents.ndim == 3 else (..., -1, -1)] = 1
    assert as_tokens(model, inputs, latents)[0, -1].any() and not as_tokens(model, inputs, latents)[0, 0].any()


def test_cross_attention_hands_on_no_text():
    model = tiny_instance("WanTransformer3DModel")
    assert text_states(model, example_inputs(model, GRID, TEXT_LENGTH)) == []
