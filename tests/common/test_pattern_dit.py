"""The DiT of the attention patterns: what its patterns let through, and the arms that are trained with it."""

import json
from pathlib import Path

import pytest
import torch

import common
from common.data.mini import MOTIONS, MiniSprites
from common.evaluation.share import Share
from common.layers.attention_patterns import PATTERNS, attend_by
from common.models.pattern_dit import PatternDiT
from common.training.keyed_noise import KeyedNoise
from common.zoo.pattern_arm import VOCABULARY, build_arm, compute_loss, generate_latents, words_of

NEAR = {"atol": 1e-5, "rtol": 1e-4}  # norms and RoPE are float32
SMALL = {"in_channels": 3, "dim": 24, "num_layers": 3, "num_heads": 2, "ffn_dim": 16, "num_words": 5}
RESULTS = Path(common.__file__).parents[1] / "benchmarks" / "results" / "pattern_arms.json"


def awake(pattern, **config):
    """A model whose gates are open."""
    torch.manual_seed(0)
    model = PatternDiT(pattern=pattern, **SMALL | config).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter += 0.2 * torch.randn_like(parameter)
    return model.double()


def inputs(frames=6):
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(2, 3, frames, 8, 4, generator=draw, dtype=torch.float64)
    return x, torch.tensor([300.0, 800.0]), torch.eye(5, dtype=torch.float64)[:2]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_fresh_model_answers_zero_and_all_patterns_have_the_same_weights(pattern):
    model, full = PatternDiT(pattern=pattern, **SMALL), PatternDiT(**SMALL)
    x, timestep, words = inputs()
    assert not model(x.float(), timestep, words.float()).sample.any()
    shapes = [{name: part.shape for name, part in one.state_dict().items()} for one in (model, full)]
    assert shapes[0] == shapes[1]


def test_without_attention_along_time_the_frames_are_drawn_independently():
    """Permute the frames of the noise, and exactly the frames of the result are permuted: no order can be drawn."""
    x, *given = inputs()
    order = [3, 0, 5, 1, 4, 2]
    model = awake("spatial")
    torch.testing.assert_close(model(x[:, :, order], *given).sample, model(x, *given).sample[:, :, order], **NEAR)
    changed = x.clone()
    changed[:, :, 2] += 1
    moved = (model(changed, *given).sample - model(x, *given).sample).abs().amax((0, 1, 3, 4)) > 1e-12
    assert moved.tolist() == [False, False, True, False, False, False]
    for pattern in ("full", "factorised", "shifted"):
        model = awake(pattern)
        off = model(x[:, :, order], *given).sample - model(x, *given).sample[:, :, order]
        assert off.abs().max() > 1e-3, pattern


def test_windows_without_a_shift_do_not_know_which_window_they_are():
    """The first three frames and the last three may change places, and so may the halves of the picture."""
    x, *given = inputs()
    model = awake("windows")
    for swapped, dim in ((3, 2), (4, 3)):
        want = model(x, *given).sample.roll(swapped, dim)
        torch.testing.assert_close(model(x.roll(swapped, dim), *given).sample, want, **NEAR)
    shifted = awake("shifted")
    off = shifted(x.roll(3, 2), *given).sample - shifted(x, *given).sample.roll(3, 2)
    assert off.abs().max() > 1e-3


def test_words_and_levels_reach_every_token():
    model, (x, timestep, words) = awake("windows"), inputs()
    before = model(x, timestep, words).sample
    for other in (model(x, timestep, words.flip(0)).sample, model(x, timestep + 50, words).sample):
        assert ((other - before).abs().amax(1) > 1e-9).all()


def test_another_function_may_do_the_attention():
    model, given = awake("factorised"), inputs()
    calls = []

    def counting(kind, q, k, v, window):
        calls.append((kind, tuple(q.shape), tuple(window)))
        return attend_by(kind, q, k, v, window)

    want = model(*given).sample
    torch.testing.assert_close(model.attend_with(counting)(*given).sample, want)
    assert calls == [(kind, (2, 2, 6, 4, 2, 12), (3, 2, 2)) for kind in ("space", "time", "space")]
    model.attend_with(None)(*given)
    assert len(calls) == 3


def test_what_it_cannot_be_is_refused():
    with pytest.raises(ValueError, match="diagonal"):
        PatternDiT(pattern="diagonal")
    with pytest.raises(ValueError, match="latents"):
        PatternDiT(**SMALL)(torch.zeros(1, 4, 6, 8, 4), torch.zeros(1), torch.zeros(1, 5))


def test_the_words_of_a_caption():
    captions = MiniSprites(num_frames=1, size=8).batch(range(40)).captions
    rows = words_of(captions)
    assert rows.shape == (40, len(VOCABULARY)) and len(set(VOCABULARY)) == 15 and (rows.sum(1) == 4).all()
    for row, caption in zip(rows, captions):
        said = {word for word, there in zip(VOCABULARY, row) if there}
        assert {word for word in said if word not in MOTIONS} <= set(caption.split())
        assert len(said & set(MOTIONS)) == 1


def test_a_tenth_of_the_clips_is_trained_without_words():
    seen = []

    class Model:
        def __call__(self, x, timestep, words):
            seen.append(words)
            return type("Out", (), {"sample": torch.zeros_like(x)})

    batch = {"latents": torch.randn(400, 2, 1, 2, 2), "words": torch.ones(400, 15)}
    loss = compute_loss(Model(), batch, KeyedNoise(0, range(400)))["loss"]
    assert 1.5 < loss < 2.5  # the velocity eps - x0 has variance 2
    assert 20 < (seen[0].sum(1) == 0).sum() < 60


def test_a_clip_depends_on_its_seed_and_caption_alone():
    model = build_arm("shifted").eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0))
    captions = list(MiniSprites("test", num_frames=1, size=8).batch(range(3)).captions)
    made = generate_latents(model, captions, num_inference_steps=2)
    assert made.shape == (3, 16, 9, 8, 8)
    alone = generate_latents(model, captions[1:2], num_inference_steps=2, first_seed=1)
    torch.testing.assert_close(alone, made[1:2], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("seed", [0])
def test_the_study_says_what_the_theorem_says(seed):
    """Frames that are drawn independently do not move as asked, beyond what luck gives."""
    study = [one for one in json.loads(RESULTS.read_text()) if one["pattern"] == "spatial"]
    motion, shuffled = (Share(*(sum(one["end"][name][k] for one in study) for k in (0, 1))) for name in
                        ("motion", "shuffled"))  # fmt: skip
    assert motion.total >= 1000
    assert motion.interval[1] < 1 / len(MOTIONS)
    assert motion.interval[0] <= shuffled.interval[1] + 0.02
