"""The video transformer: fresh it does nothing, its block is Wan's, frames have their own noise, a cache is the past.

About three seconds.
"""

import pytest
import torch
from diffusers import CogVideoXTransformer3DModel, WanTransformer3DModel
from diffusers.models.transformers.transformer_wan import WanTransformerBlock
from einops import rearrange

from common.layers.rope import rotations
from common.models.dit import NUM_BRANCHES, PRESETS, DiTBlock, VideoDiT
from common.models.gates import with_branch_closed
from common.models.peers import TINY, copy_wan_block, distance_from_wan, run_wan_block
from common.models.time_positions import without_time_positions

NUM_PARAMETERS = {"ci": 204_608, "cpu": 7_974_336, "gpu": 7_974_336}
LARGEST_FILE = 16e6  # bytes, as float16


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def shaken(model):
    """Every weight counts: no gate is closed, no table is zero."""
    for i, p in enumerate(model.parameters()):
        if p.abs().max() == 0:
            with torch.no_grad():
                p.copy_(0.2 * random(*p.shape, seed=i))
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def dit() -> VideoDiT:
    torch.manual_seed(0)
    return shaken(VideoDiT(**PRESETS["ci"]))


@pytest.fixture(scope="module")
def inputs() -> dict[str, torch.Tensor]:
    """Five latent frames that are not square, one level a frame, texts of different lengths."""
    return {
        "hidden_states": random(2, 16, 5, 6, 4),
        "timestep": 1000 * torch.rand(2, 5, generator=torch.Generator().manual_seed(1)),
        "encoder_hidden_states": random(2, 7, 384, seed=2),
        "encoder_attention_mask": torch.arange(7) < torch.tensor([[4], [7]]),
    }


# ------------------------------------------------------------------------------------------------ fresh weights


@pytest.mark.parametrize("name", PRESETS)
def test_number_of_parameters(name):
    with torch.device("meta"):
        model = VideoDiT(**PRESETS[name])
    assert sum(p.numel() for p in model.parameters()) == NUM_PARAMETERS[name]
    assert 2 * NUM_PARAMETERS[name] + 20_000 < LARGEST_FILE  # 20 kB: the names of the tensors


def test_the_file_of_the_largest_preset_is_small_enough(tmp_path):
    VideoDiT(**PRESETS["gpu"]).half().save_pretrained(tmp_path)
    assert (tmp_path / "diffusion_pytorch_model.safetensors").stat().st_size <= LARGEST_FILE


def test_fresh_every_gate_is_exactly_zero_and_every_block_the_identity(inputs):
    """For every noise level: what decides is the weights, not the input. Largest absolute values, never sums."""
    torch.manual_seed(3)
    model = VideoDiT(**PRESETS["ci"])
    signal = model.to_signal(random(2, 5, 64))
    x, text = random(2, 5, 6, 64, seed=4), random(2, 7, 64, seed=5)
    for block in model.blocks:
        for steer in block.modulation(signal):
            assert steer.gate.abs().max() == 0 and steer.scale.abs().max() == 0 and steer.shift.abs().max() == 0
        assert torch.equal(block(x, signal, text)[0], x)
        assert block.attention(x.flatten(1, 2))[0].abs().max() > 0.1  # behind the gates there is something
    assert model(**inputs).sample.abs().max() == 0


def test_gradients_reach_every_weight(inputs):
    torch.manual_seed(0)
    model = shaken(VideoDiT(**PRESETS["ci"])).requires_grad_(True)
    model(**inputs).sample.square().mean().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0] == []


def test_a_fresh_model_learns():
    """From all gates closed: the error on two clips falls by more than half in 60 steps (measured: to a tenth)."""
    torch.manual_seed(0)
    model = VideoDiT(**PRESETS["ci"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    x, text, t = random(2, 16, 2, 4, 4), random(2, 4, 384, seed=1), torch.tensor([200.0, 700.0])
    errors = []
    for _ in range(60):
        error = (model(x, t, text).sample - x.flip(2)).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        errors.append(float(error.detach()))
    assert errors[-1] < 0.5 * errors[0]


# ------------------------------------------------------------------------------------------------ the peer


@pytest.mark.parametrize("one_level", [False, True])
def test_the_block_is_wans(one_level):
    """At the same weights, where the maths is the same: without the norms of queries and keys, which differ (ours is
    compared in test_attention)."""
    torch.manual_seed(0)
    dim, heads, grid = 48, 4, (3, 2, 4)
    wan = WanTransformerBlock(dim, 96, heads, cross_attn_norm=True)
    with torch.no_grad():
        wan.norm2.weight.add_(0.3 * random(dim))
        wan.norm2.bias.add_(0.3 * random(dim, seed=1))
    ours = copy_wan_block(wan, DiTBlock(dim, heads, 96))
    x, text, signal = random(2, 3, 8, dim), random(2, 7, dim, seed=1), random(2, 3, 9, dim, seed=2)
    signal[:, :, 3:6] = 0  # Wan's text branch gets none
    signal = (signal[:, :1].expand(-1, 3, -1, -1) if one_level else signal).flatten(2)
    given = signal[:, :1] if one_level else signal  # one level for the clip, or one for each frame
    found, _ = ours(x, given, text, rotation=rotations(grid, dim // heads, theta=10_000.0))
    assert torch.allclose(found, run_wan_block(wan, x, signal, text, grid), atol=1e-5)
    assert (found - x).abs().max() > 0.1


def test_the_distance_from_wan_sees_another_block():
    class Ungated(DiTBlock):
        def forward(self, x, *args, **kwargs):
            out, cache = super().forward(x, *args, **kwargs)
            return out + 0.01 * x, cache

    assert distance_from_wan(DiTBlock) < 1e-5 and distance_from_wan(Ungated) > 1e-2


def test_tiny_instances_of_published_transformers_run():
    """Parameter counts, and a velocity of the latents' shape (CogVideoX has frames before channels)."""
    latents, text = random(1, 16, 5, 8, 8), random(1, 8, 32)
    wan = WanTransformer3DModel(**TINY["WanTransformer3DModel"])
    assert wan(latents, torch.tensor([500.0]), text).sample.shape == latents.shape
    cog = CogVideoXTransformer3DModel(**TINY["CogVideoXTransformer3DModel"])
    angles = random(5 * 16, 16), random(5 * 16, 16, seed=1)  # cosines and sines, which its pipeline makes
    moved = latents.transpose(1, 2)
    assert cog(moved, text, torch.tensor([500.0]), image_rotary_emb=angles).sample.shape == moved.shape
    count = {type(model).__name__: sum(p.numel() for p in model.parameters()) for model in (wan, cog)}
    assert count == {"WanTransformer3DModel": 24_136, "CogVideoXTransformer3DModel": 60_480}


# ------------------------------------------------------------------------------------------------ order of frames


ORDER = [3, 0, 4, 1, 2]


def test_without_time_positions_permuted_frames_give_permuted_frames(dit, inputs):
    """The control of lab 06.1: exact but for rounding, and false for the model as it is."""
    inputs = inputs | {"timestep": inputs["timestep"][:, 0]}
    moved = inputs | {"hidden_states": inputs["hidden_states"][:, :, ORDER]}
    apart = dit(**moved).sample - dit(**inputs).sample[:, :, ORDER]
    assert apart.abs().max() > 0.05
    with without_time_positions(dit):
        first = dit(**inputs).sample
        apart = dit(**moved).sample - first[:, :, ORDER]
    assert apart.abs().max() < 1e-5
    assert (dit(**inputs).sample - first).abs().max() > 0.05  # and afterwards positions are back


def test_a_closed_branch_adds_nothing(dit, inputs):
    """Without the text branch the text does not count; with all of them it does, and afterwards again."""
    other = inputs | {"encoder_hidden_states": random(2, 7, 384, seed=9)}
    with with_branch_closed(dit, 1):
        assert torch.equal(dit(**inputs).sample, dit(**other).sample)
    with with_branch_closed(dit, None):
        first = dit(**inputs).sample
    assert torch.equal(first, dit(**inputs).sample) and (first - dit(**other).sample).abs().max() > 1e-3


def test_without_time_positions_rows_and_columns_keep_theirs(dit, inputs):
    inputs = inputs | {"timestep": inputs["timestep"][:, 0]}
    with without_time_positions(dit):
        turned = dit(**inputs | {"hidden_states": inputs["hidden_states"].flip(3)}).sample
        assert (turned - dit(**inputs).sample.flip(3)).abs().max() > 0.05


def test_tokens_are_patches_in_the_order_of_wans_convolution(dit):
    """The linear layer on patches is a convolution with the same numbers, steps of a patch apart."""
    x = random(2, 16, 5, 6, 4)
    kernel = dit.patches_in.weight.reshape(64, 16, 1, 2, 2)
    wanted = torch.nn.functional.conv3d(x, kernel, dit.patches_in.bias, stride=(1, 2, 2)).flatten(2).transpose(1, 2)
    tokens = rearrange(x, "b c t (h p) (w q) -> b (t h w) (c p q)", p=2, q=2)
    assert torch.allclose(dit.patches_in(tokens), wanted, atol=1e-5)


# ------------------------------------------------------------------------------------------------ noise levels


def test_one_level_is_that_level_in_every_frame(dit, inputs):
    one = inputs | {"timestep": torch.tensor([120.0, 870.0])}
    each = inputs | {"timestep": torch.tensor([120.0, 870.0])[:, None].expand(2, 5)}
    assert torch.allclose(dit(**one).sample, dit(**each).sample, atol=1e-5)


def test_a_frames_level_steers_that_frame(dit, inputs):
    """Causal, so that the change cannot come round through attention: frames before it do not move, it does."""
    changed = inputs["timestep"].clone()
    changed[:, 3] = 1000 - changed[:, 3]
    apart = dit(**inputs | {"timestep": changed}, is_causal=True).sample - dit(**inputs, is_causal=True).sample
    moved = apart.abs().amax(dim=(0, 1, 3, 4))
    assert (moved[:3] == 0).all() and moved[3] > 1e-3


def test_the_text_counts_and_its_padding_does_not(dit, inputs):
    text = inputs["encoder_hidden_states"].clone()
    text[0, 5] = random(384, seed=8)  # the first text has 4 tokens
    assert torch.equal(dit(**inputs | {"encoder_hidden_states": text}).sample, dit(**inputs).sample)
    text[0, 2] = random(384, seed=8)
    moved = (dit(**inputs | {"encoder_hidden_states": text}).sample - dit(**inputs).sample).abs().amax(dim=(1, 2, 3, 4))
    assert moved[0] > 1e-3 and moved[1] == 0


# ------------------------------------------------------------------------------------------------ causality, caches


@pytest.mark.parametrize("frame", [0, 2, 4])
def test_causal_nothing_before_a_changed_frame_moves(dit, inputs, frame):
    latents = inputs["hidden_states"].clone()
    latents[:, :, frame] += 0.5
    apart = dit(**inputs | {"hidden_states": latents}, is_causal=True).sample - dit(**inputs, is_causal=True).sample
    moved = apart.abs().amax(dim=(0, 1, 3, 4))  # (T',)
    assert (moved[:frame] == 0).all() and (moved[frame:] > 1e-3).all()
    free = dit(**inputs | {"hidden_states": latents}).sample - dit(**inputs).sample
    assert (free.abs().amax(dim=(0, 1, 3, 4)) > 1e-3).all()  # without the mask everything moves


@pytest.mark.parametrize("pieces", [[5], [1, 4], [2, 1, 2], [1, 1, 1, 1, 1]])
def test_causal_pieces_with_caches_give_the_whole(dit, inputs, pieces):
    whole = dit(**inputs, is_causal=True)
    caches, found, offset = None, [], 0
    for num_frames in pieces:
        part = slice(offset, offset + num_frames)
        piece = inputs | {"hidden_states": inputs["hidden_states"][:, :, part], "timestep": inputs["timestep"][:, part]}
        out = dit(**piece, caches=caches, frame_offset=offset, is_causal=True)
        caches, offset = out.caches, offset + num_frames
        found.append(out.sample)
    assert torch.allclose(torch.cat(found, dim=2), whole.sample, atol=1e-5)
    assert all(torch.allclose(a.keys, b.keys, atol=1e-5) for a, b in zip(caches, whole.caches, strict=True))


def test_a_cache_that_is_given_is_not_changed(dit, inputs):
    first = {name: value[:, :, :2] if name == "hidden_states" else value for name, value in inputs.items()}
    caches = dit(**first | {"timestep": inputs["timestep"][:, :2]}, is_causal=True).caches
    before = [cache.keys.clone() for cache in caches]
    rest = inputs | {"hidden_states": inputs["hidden_states"][:, :, 2:], "timestep": inputs["timestep"][:, 2:]}
    again = [dit(**rest, caches=caches, frame_offset=2, is_causal=True).sample for _ in range(2)]
    assert torch.equal(*again) and all(torch.equal(a, b.keys) for a, b in zip(before, caches, strict=True))


# ------------------------------------------------------------------------------------------------ as a diffusers model


def test_saved_and_loaded_it_is_the_same_to_the_bit(dit, inputs, tmp_path):
    dit.save_pretrained(tmp_path)
    loaded = VideoDiT.from_pretrained(tmp_path)
    assert torch.equal(loaded(**inputs).sample, dit(**inputs).sample)
    public = [{k: v for k, v in model.config.items() if not k.startswith("_")} for model in (loaded, dit)]
    assert public[0] == public[1]


def test_a_tuple_on_request(dit, inputs):
    sample, caches = dit(**inputs, return_dict=False)
    out = dit(**inputs)
    assert torch.equal(sample, out.sample) and torch.equal(sample, out[0]) and len(caches) == len(dit.blocks)


def test_under_autocast_it_is_close_and_the_stream_stays_float32(dit, inputs):
    exact = dit(**inputs).sample
    seen = []
    hook = dit.blocks[0].register_forward_hook(lambda module, args, out: seen.append(out[0].dtype))
    with torch.autocast("cpu", torch.bfloat16):
        rough = dit(**inputs).sample
    hook.remove()
    assert seen == [torch.float32] and rough.dtype == torch.float32
    error = (rough - exact).square().mean().sqrt() / exact.square().mean().sqrt()
    assert 0 < error < 0.03


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights(dit, inputs, dtype, tmp_path):
    """Weights as the zoo ships them, used as they are."""
    dit.save_pretrained(tmp_path)
    half = VideoDiT.from_pretrained(tmp_path, torch_dtype=dtype)
    cast = {name: value.to(dtype) if name.endswith("hidden_states") else value for name, value in inputs.items()}
    out, exact = half(**cast).sample, dit(**inputs).sample
    assert out.dtype == dtype
    assert (out.float() - exact).square().mean().sqrt() < 0.05 * exact.square().mean().sqrt()


@pytest.mark.parametrize(
    "change, said",
    [
        ({"hidden_states": torch.zeros(2, 15, 5, 6, 4)}, "2, 15, 5, 6, 4"),
        ({"hidden_states": torch.zeros(2, 16, 5, 6, 5)}, "5, 6, 5"),
        ({"timestep": torch.zeros(3)}, r"got \(3,\)"),
        ({"timestep": torch.zeros(2, 4)}, r"got \(2, 4\)"),
    ],
)
def test_inputs_of_other_shapes_are_refused(dit, inputs, change, said):
    with pytest.raises(ValueError, match=said):
        dit(**inputs | change)


def test_a_signal_steers_three_branches(dit):
    assert NUM_BRANCHES == 3 and dit.to_signal.out_features == 9 * 64
