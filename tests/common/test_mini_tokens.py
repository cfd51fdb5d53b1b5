"""The autoregressive arm of the `mini` world: its loss, its clips, and the measures that it shares with the others."""

import math

import pytest
import torch

from common.data.mini import MiniSprites
from common.layers.quantization import LEVELS, indices_to_codes
from common.models.token_transformer import PRESETS, TokenTransformer
from common.text import TextEncoder
from common.training import KeyedNoise
from common.zoo import shelf
from common.zoo.mini_measures import measure_clips
from common.zoo.mini_tokens.recipe import NO_PROMPT_PART, bits_per_token, compute_loss, generate

CAPTIONS = list(MiniSprites("test", num_frames=1, size=8).batch(range(3)).captions)
tokenized = pytest.mark.skipif(not shelf.has_weights("sprites-fsq"), reason="sprites-fsq is not in this checkout")


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = TokenTransformer(**PRESETS["ci"]).eval().requires_grad_(False)
    for k, parameter in enumerate(model.parameters()):
        parameter += 0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(k))
    return model


@pytest.fixture(scope="module")
def batch():
    text = TextEncoder.installed()([*CAPTIONS, ""])
    tokens = torch.randint(64_000, (3, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    return {"latents": indices_to_codes(tokens, LEVELS), "states": text.states, "mask": text.mask}


class Chosen:
    """Noise that says which clips lose their prompt."""

    def __init__(self, without):
        self.without = torch.tensor(without)

    def uniform(self, name):
        return torch.where(self.without, NO_PROMPT_PART / 2, (1 + NO_PROMPT_PART) / 2)


def test_the_loss_is_cross_entropy_and_its_bits_are_counted_per_token(model, batch):
    parts = compute_loss(model, batch, Chosen([False, False, False]))
    nats = model.negative_log_likelihood(batch["latents"], batch["states"][:3], batch["mask"][:3])
    assert parts["loss"].item() == pytest.approx(nats.mean().item(), rel=1e-5)
    assert parts["bits_per_token"].item() == pytest.approx(6 * nats.mean().item() / math.log(2), rel=1e-5)


def test_a_clip_without_its_prompt_gets_the_empty_text(model, batch):
    found = compute_loss(model, batch, Chosen([False, True, False]))["loss"].item()
    rows = [0, 3, 2]
    nats = model.negative_log_likelihood(batch["latents"], batch["states"][rows], batch["mask"][rows])
    assert found == pytest.approx(nats.mean().item(), rel=1e-5)
    assert found != pytest.approx(compute_loss(model, batch, Chosen([False] * 3))["loss"].item(), rel=1e-5)


def test_about_a_tenth_of_the_clips_have_no_prompt():
    draws = KeyedNoise(0, list(range(4000)), torch.device("cpu")).uniform("prompt")
    assert 0.08 < (draws < NO_PROMPT_PART).float().mean() < 0.12


@tokenized
def test_clips_are_made_one_per_caption_and_do_not_depend_on_the_others(model):
    made = generate(model, CAPTIONS)
    assert made.shape == (3, 3, 9, 64, 64)
    assert made.abs().max() <= 1
    torch.testing.assert_close(generate(model, CAPTIONS[:1]), made[:1], atol=1e-4, rtol=0)


@tokenized
def test_an_untrained_model_is_more_surprised_than_one_that_knows_nothing(model):
    even = TokenTransformer(**PRESETS["ci"]).eval().requires_grad_(False)
    even.head.logits_out.zero_()
    assert bits_per_token(even, 3) == pytest.approx(math.log2(64_000), rel=1e-4)
    assert bits_per_token(model, 3) > math.log2(64_000)


def test_the_measures_of_real_clips_are_right_and_shuffled_ones_are_not():
    splits = iter(("test", "held_out"))
    found = measure_clips(lambda captions: MiniSprites(next(splits)).batch(range(len(captions))).clips(), 8)
    assert found["test/right"] == found["held_out/right"] == 1
    assert found["shuffled/right"] < 0.5
