"""The outputs of our models: diffusers' names, without importing all of diffusers' models."""

import subprocess
import sys

import torch

from common.models.outputs import DecoderOutput


def test_it_is_read_by_name_by_key_and_as_a_tuple():
    sample = torch.zeros(1, 3, 2, 4, 4)
    output = DecoderOutput(sample=sample)
    assert output.sample is output["sample"] is output[0] is output.to_tuple()[0] is sample


def test_an_autoencoder_starts_without_the_models_that_it_does_not_use():
    told = "import sys, common.models.autoencoder, common.models.frame_vae\nprint([*sys.modules])"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert "'diffusers.models.modeling_utils'" in ran.stdout
    assert "'diffusers.models.autoencoders" not in ran.stdout and "'diffusers.models.transformers" not in ran.stdout
