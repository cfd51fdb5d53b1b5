"""The world model's network and its sampling: what each input reaches, and equality with diffusers' EDM scheduler."""

from functools import partial

import pytest
import torch
from diffusers import EDMEulerScheduler
from torch.nn import functional as F

from common.diffusion.convert import edm_derivative
from common.diffusion.losses import edm_loss
from common.diffusion.samplers import euler, last
from common.models.world_unet import PRESETS, ActionEmbedding, FiLMBlock, SelfAttention, WorldUNet
from common.streaming.world import (
    corrupt_context,
    denoise,
    push,
    quantize,
    rollout,
    sample_next,
    world_sigmas,
)

NUM_PARAMETERS = {"ci": 93_900, "cpu": 2_601_708, "gpu": 12_275_148}
A, K = 5, 3  # actions, frames of the past


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def model() -> WorldUNet:
    """A small one in which everything matters."""
    torch.manual_seed(0)
    model = WorldUNet(A, K, channels=[16, 24, 32], num_blocks=[1, 2, 2], cond_channels=24, sigma_data=0.4)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def past() -> torch.Tensor:
    """`(2, 3, K, 16, 24)`."""
    return torch.rand(2, 3, K, 16, 24, generator=generator()) * 2 - 1


@pytest.fixture(scope="module")
def actions() -> torch.Tensor:
    """`(2, K - 1 + 6)`."""
    return torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2], [4, 4, 0, 2, 2, 3, 1, 0]])


# ---------------------------------------------------------------------------------------------------- the network


@pytest.mark.parametrize("preset", PRESETS)
def test_parameter_counts(preset):
    with torch.device("meta"):
        model = WorldUNet(**PRESETS[preset])
    assert sum(p.numel() for p in model.parameters()) == NUM_PARAMETERS[preset]


def test_a_fresh_network_says_nothing_and_its_blocks_pass_on():
    torch.manual_seed(0)
    model = WorldUNet(A, K, **PRESETS["ci"])
    noisy, sigma = torch.randn(2, 3, 16, 16, generator=generator()), torch.tensor([0.3, 2.0])
    past, keys = torch.zeros(2, 3, K, 16, 16), torch.zeros(2, K, dtype=torch.long)
    found = denoise(model, noisy, sigma, past, keys, torch.zeros(2))
    c_skip = 0.25 / (sigma**2 + 0.25)  # EDM, table 1
    assert torch.allclose(found, c_skip[:, None, None, None] * noisy)
    x, cond = torch.randn(2, 16, 4, 6), torch.randn(2, 8)
    for block, inputs in ((FiLMBlock(16, 16, 8), (x, cond)), (SelfAttention(16), (x,))):
        block.init_weights()
        assert torch.equal(block(*inputs), x)


def test_a_film_block_is_the_formula():
    torch.manual_seed(0)
    block, x, cond = FiLMBlock(8, 16, 6), torch.randn(2, 8, 3, 5), torch.randn(2, 6)
    h = F.group_norm(x, 1, block.norm_first.weight, block.norm_first.bias)
    h = F.conv2d(F.silu(h), block.first.weight, block.first.bias, padding=1)
    numbers = F.linear(cond, block.film.weight, block.film.bias)[:, :, None, None]
    h = F.group_norm(h, 2, block.norm_second.weight, block.norm_second.bias) * (1 + numbers[:, :16]) + numbers[:, 16:]
    h = F.conv2d(F.silu(h), block.second.weight, block.second.bias, padding=1)
    assert torch.allclose(block(x, cond), h + F.conv2d(x, block.fit.weight, block.fit.bias), atol=1e-6)


def test_each_place_and_each_action_has_a_row_of_its_own():
    embed = ActionEmbedding(A, K, 7)
    rows = {tuple(keys): embed(torch.tensor([keys]))[0] for keys in ((0, 1, 2), (1, 0, 2), (0, 1, 3), (A, A, A))}
    assert len({tuple(row.tolist()) for row in rows.values()}) == len(rows)
    table = embed.table.weight.unflatten(0, (K, A + 1))
    assert torch.allclose(rows[0, 1, 2], table[0, 0] + table[1, 1] + table[2, 2])
    assert torch.allclose(rows[A, A, A], table[:, A].sum(dim=0))


def test_everything_told_matters_and_only_to_its_own_sample(model, past, actions):
    given = [torch.randn(2, 3, 16, 24, generator=generator(1)), torch.tensor([0.2, -0.3]), past, actions[:, :K],
             torch.tensor([0.1, 0.3])]  # fmt: skip
    before = model(*given)
    for number, value in enumerate(given):
        changed = value.clone()
        changed[1] += 1 if number != 3 else -changed[1] + (changed[1] + 1) % A
        after = model(*given[:number], changed, *given[number + 1 :])
        assert torch.equal(after[0], before[0]) and not torch.allclose(after[1], before[1], atol=1e-3)
    for k in range(K):  # every frame, every key
        frames, keys = past.clone(), actions[:, :K].clone()
        frames[:, :, k] *= -1
        keys[:, k] = A  # the null action
        assert not torch.allclose(model(*given[:2], frames, *given[3:]), before, atol=1e-3)
        assert not torch.allclose(model(*given[:3], keys, *given[4:]), before, atol=1e-3)


def test_a_past_of_another_length_is_refused(model, past, actions):
    x, level = torch.zeros(2, 3, 16, 24), torch.zeros(2)
    with pytest.raises(ValueError, match=rf"\(B, 3, {K}, H, W\).*\(2, 3, 2, 16, 24\)"):
        model(x, level, past[:, :, 1:], actions[:, :K], level)
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        model(x, level, past, actions[:, :2], level)


def test_saved_and_loaded_it_is_the_same(model, past, actions, tmp_path):
    model.save_pretrained(tmp_path)
    again = WorldUNet.from_pretrained(tmp_path)
    one, two = (sample_next(m, past, actions[:, :K], generator=generator()) for m in (model, again))
    assert torch.equal(one, two) and again.config.sigma_data == 0.4


# ---------------------------------------------------------------------------------------------- noise on the past


def test_corruption_has_the_level_of_each_sample(past):
    eps = torch.randn(past.shape, generator=generator(2))
    noisy = corrupt_context(past, torch.tensor([0.0, 0.7]), eps)
    assert torch.equal(noisy[0], past[0])
    assert torch.allclose((noisy - past)[1], 0.7 * eps[1], atol=1e-6)
    assert noisy.abs().max() > 1.5  # not clamped


def test_the_level_is_told(model, past, actions):
    """The very same frames, said to be clean or noisy, give different answers."""
    eps = torch.randn(2, 3, 16, 24, generator=generator())
    one, two = (
        denoise(model, 5 * eps, torch.full((2,), 5.0), past, actions[:, :K], torch.full((2,), level))
        for level in (0.0, 0.4)
    )
    assert (one - two).abs().mean() > 1e-3


def test_noise_at_play_is_put_on_and_told(model, past, actions):
    draws = generator(5)
    found = sample_next(model, past, actions[:, :K], 2, context_noise=0.3, generator=draws)
    draws = generator(5)
    noisy = past + 0.3 * torch.randn(past.shape, generator=draws)
    eps = torch.randn(2, 3, 16, 24, generator=draws)
    level = torch.full((2,), 0.3)

    def estimate(x, sigma):
        return denoise(model, x, sigma, noisy, actions[:, :K], level)

    sigmas = world_sigmas(2, model.config.sigma_max)
    assert torch.equal(found, quantize(last(euler(partial(edm_derivative, estimate), sigmas[0] * eps, sigmas))))


# ------------------------------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize("num_steps", [1, 2, 3, 5])
def test_levels_and_steps_are_those_of_diffusers(model, past, actions, num_steps):
    """`EDMEulerScheduler` with one level more, stopped where ours goes to 0; its preconditioning around our network."""
    scheduler = EDMEulerScheduler(sigma_min=2e-3, sigma_max=model.config.sigma_max, sigma_data=model.config.sigma_data)
    scheduler.set_timesteps(num_steps + 1)
    sigmas = world_sigmas(num_steps, model.config.sigma_max)
    assert len(sigmas) == num_steps + 1 and sigmas[-1] == 0
    assert torch.allclose(sigmas[:-1], scheduler.sigmas[:num_steps], rtol=1e-5)

    eps, level = torch.randn(2, 3, 16, 24, generator=generator(3)), torch.zeros(2)
    x = eps * sigmas[0]
    scheduler.sigmas[num_steps] = 0
    for timestep in scheduler.timesteps[:num_steps]:
        scaled = scheduler.scale_model_input(x, timestep)
        raw = model(scaled, timestep.float().expand(2), past, actions[:, :K], level)
        x = scheduler.step(raw, timestep, x).prev_sample
    found = sample_next(model, past, actions[:, :K], num_steps, eps=eps)
    assert (found - quantize(x)).abs().max() <= 1 / 127.5 + 1e-6  # rounding may fall to either side
    assert (found - x.clamp(-1, 1)).abs().max() <= 0.51 / 127.5


def test_no_step_is_no_sampler():
    with pytest.raises(ValueError, match="num_steps must be at least 1, got 0"):
        world_sigmas(0, 5.0)


def test_the_loss_of_a_silent_network_on_gaussian_data_is_one():
    """Where F is 0, the error is c_out² by construction: EDM's weights make every level count 1."""
    x0 = 0.5 * torch.randn(4, 200_000, generator=generator())
    sigma = torch.tensor([0.05, 0.5, 2.0, 20.0])
    c_skip = 0.25 / (sigma**2 + 0.25)
    loss = edm_loss(lambda x, s: c_skip[:, None] * x, x0, torch.randn(x0.shape, generator=generator(1)), sigma)
    assert torch.allclose(loss, torch.ones(4), atol=0.02)
    assert torch.equal(edm_loss(lambda x, s: x0, x0, x0, sigma), torch.zeros(4))


def test_pixels_survive_quantisation():
    pixels = torch.arange(256, dtype=torch.uint8)
    frames = pixels.float() / 127.5 - 1
    assert torch.allclose(quantize(frames), frames, atol=1e-6)
    assert torch.equal(((quantize(frames) + 1) * 127.5).round().to(torch.uint8), pixels)
    assert quantize(torch.tensor([-3.0, 7.0])).tolist() == [-1, 1]


def test_a_batch_is_its_samples_one_by_one(model, past, actions):
    noise = [generator(7), generator(8)]
    both = sample_next(model, past, actions[:, :K], 2, context_noise=0.2, generator=noise)
    for k in range(2):
        one = slice(k, k + 1)
        alone = sample_next(model, past[one], actions[one, :K], 2, context_noise=0.2, generator=[generator(7 + k)])
        assert (both[one] - alone).abs().max() <= 1 / 127.5 + 1e-6


# -------------------------------------------------------------------------------------------------------- rollout


def test_a_rollout_is_sample_next_again_and_again(model, past, actions):
    frames = list(rollout(model, past, actions, 2, context_noise=0.1, generator=generator(4)))
    noise, seen = generator(4), past.clone()
    for k, frame in enumerate(frames):
        assert torch.equal(
            frame, sample_next(model, seen, actions[:, k : k + K], 2, context_noise=0.1, generator=noise)
        )
        seen = torch.stack([*seen.unbind(dim=2)[1:], frame], dim=2)
    assert len(frames) == actions.shape[1] - K + 1 == 6


@pytest.mark.parametrize("t", [2, 4, 7])
def test_a_key_changes_the_frame_after_it_and_none_before(model, past, actions, t):
    """Keys off by one would move another frame first."""
    other = actions.clone()
    other[:, t] = (other[:, t] + 1) % A
    one, two = (
        torch.stack(list(rollout(model, past, keys, generator=generator())), dim=2) for keys in (actions, other)
    )
    moved = (one != two).any(dim=4).any(dim=3).any(dim=1)  # (B, N)
    first = t - (K - 1)  # frame 0 of the rollout is led to by action K - 1
    assert not moved[:, :first].any() and moved[:, first].all()


def test_the_past_is_a_queue(past):
    new = torch.full((2, 3, 16, 24), 0.5)
    pushed = push(past, new)
    assert torch.equal(pushed[:, :, :-1], past[:, :, 1:]) and torch.equal(pushed[:, :, -1], new)


def test_a_rollout_needs_a_key_for_every_frame_of_its_past(model, past, actions):
    with pytest.raises(ValueError, match=f"at least {K} actions.*got {K - 1}"):
        next(rollout(model, past, actions[:, : K - 1]))


def test_the_seed_decides(model, past, actions):
    one, two, three = (torch.stack(list(rollout(model, past, actions, 1, generator=generator(k)))) for k in (9, 9, 10))
    assert torch.equal(one, two) and not torch.equal(one, three)
