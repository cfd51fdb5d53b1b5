"""The ConvLSTM: a cell that is torch's LSTM on one pixel, a forecaster that never looks ahead, and what it costs."""

import importlib.util
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from common.models.convlstm import (
    PRESETS,
    ConvLSTMCell,
    ConvLSTMPredictor,
    as_pixels,
    prediction_loss,
    scheduled_sampling,
)

NUM_PARAMETERS = {"ci": 106_832, "cpu": 876_496, "gpu": 3_195_088}
MOST_PARAMETERS, MOST_MULTIPLICATIONS = 3.9e6, 5.5e9  # of a sequence of 10 -> 10 frames of 64x64


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def predictor() -> ConvLSTMPredictor:
    """A small one for two channels, whose answers are not all black and whose state matters."""
    torch.manual_seed(0)
    model = ConvLSTMPredictor(in_channels=2, fine_channels=6, coarse_channels=10, feedback_channels=3)
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def clip() -> torch.Tensor:
    """`(3, 2, 9, 24, 16)`."""
    return torch.rand(3, 2, 9, 24, 16, generator=generator()) * 2 - 1


# ------------------------------------------------------------------------------------------------ what it costs


@pytest.mark.parametrize("preset", PRESETS)
def test_parameters_and_multiplications_stay_within_the_budget(preset):
    """A multiplication with its addition counts once, as in the published tables; torch's counter counts both."""
    model = ConvLSTMPredictor(**PRESETS[preset])
    assert sum(p.numel() for p in model.parameters()) == NUM_PARAMETERS[preset] <= MOST_PARAMETERS
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, 1, 10, 64, 64), num_future=10)
    assert counter.get_total_flops() / 2 == multiplications(**PRESETS[preset]) <= MOST_MULTIPLICATIONS


def multiplications(fine_channels: int, coarse_channels: int, feedback_channels: int) -> int:
    """By hand: 19 steps; 16x16 places on the fine grid, 8x8 on the coarse one."""
    fine, coarse, feedback = fine_channels, coarse_channels, feedback_channels
    on_fine = (16 + feedback + fine) * 4 * fine * 9 + 2 * fine * 16 * 9  # the cell; the way out
    on_coarse = 2 * coarse * 4 * coarse * 9 + 4 * fine * coarse + coarse * 4 * fine  # the cell; down and up
    return 19 * (256 * on_fine + 64 * on_coarse) + 18 * 64 * coarse * 4 * feedback  # no feedback at the first step


# ------------------------------------------------------------------------------------------------ the cell


def test_on_one_pixel_it_is_torchs_lstm_cell():
    peer, cell = torch.nn.LSTMCell(5, 7), ConvLSTMCell(5, 7, kernel_size=1)
    weight = torch.cat([peer.weight_ih, peer.weight_hh], dim=1)
    cell.load_state_dict({"gates.weight": weight[..., None, None], "gates.bias": peer.bias_ih + peer.bias_hh})
    x, wanted, state = torch.randn(4, 3, 5, generator=generator()), None, None
    for now in x:
        wanted = peer(now, wanted)
        state = cell(now[..., None, None], state)
    assert torch.allclose(state[0][..., 0, 0], wanted[0], atol=1e-6)
    assert torch.allclose(state[1][..., 0, 0], wanted[1], atol=1e-6)


def test_a_place_sees_as_far_as_the_kernel():
    cell = ConvLSTMCell(2, 3, kernel_size=5)
    x, h, c = (torch.randn(1, n, 11, 12, generator=generator(n)) for n in (2, 3, 4))
    before = cell(x, (h, c[:, :3]))
    for changed in (x, h):
        changed[0, 0, 5, 6] += 1
        moved = (cell(x, (h, c[:, :3]))[0] != before[0]).any(dim=1)[0]  # (H, W)
        assert moved[3:8, 4:9].all() and moved.sum() == 25
        changed[0, 0, 5, 6] -= 1


def test_without_a_state_it_begins_with_zeros():
    cell, x = ConvLSTMCell(2, 3), torch.randn(2, 2, 4, 5, generator=generator())
    zeros = torch.zeros(2, 3, 4, 5)
    assert all(torch.equal(a, b) for a, b in zip(cell(x), cell(x, (zeros, zeros))))


def test_a_fresh_cell_keeps_most_of_what_it_knows():
    """The forget gate's bias of 1, and no other: where the input says nothing, sigmoid(1) of the memory stays."""
    model = ConvLSTMPredictor(**PRESETS["ci"])
    for cell in (model.fine, model.coarse):
        bias = cell.gates.bias.chunk(4)
        assert [part.unique().tolist() for part in bias] == [[0.0], [1.0], [0.0], [0.0]]
    zeros = torch.zeros(1, 32, 3, 3)
    _, c = model.coarse(zeros, (zeros, torch.ones_like(zeros)))
    assert torch.allclose(c, torch.full_like(c, 0.7310586))


def test_an_even_kernel_would_drift():
    with pytest.raises(ValueError, match="got 4"):
        ConvLSTMCell(2, 3, kernel_size=4)


# ------------------------------------------------------------------------------------------------ encoder, forecaster


def test_nothing_looks_ahead(predictor, clip):
    """Frame 4 of the past is changed: what was expected up to it stays, what is expected after it moves."""
    before = predictor(clip, num_future=3).logits
    other = clip.clone()
    other[:, :, 4] = clip[:, :, 4].flip(-1)
    moved = (predictor(other, num_future=3).logits != before).flatten(3).any(dim=3)  # (B, C, T)
    assert not moved[:, :, :4].any() and moved[:, :, 4:].all()


def test_step_by_step_it_is_the_same(predictor, clip):
    state, frames = None, []
    for frame in clip.unbind(dim=2):
        logits, state = predictor.step(frame, state)
    for _ in range(4):
        frames.append(as_pixels(logits))
        logits, state = predictor.step(frames[-1], state)
    assert torch.allclose(torch.stack(frames, dim=2), predictor(clip, num_future=4).sample, atol=1e-6)


def test_with_the_truth_always_the_future_is_a_longer_past(predictor, clip):
    """Teacher forcing is reading on: what is expected is what the encoder expects when it is given those frames."""
    past, future = clip[:, :, :4], clip[:, :, 4:]  # 4 and 5 frames
    forced = predictor(past, 5, truth=future, probability=1.0, coins=torch.rand(3, 4, generator=generator()))
    read = predictor(clip[:, :, :8], 1)
    assert torch.allclose(forced.logits, read.logits, atol=1e-6)


def test_with_probability_zero_the_truth_is_never_read(predictor, clip):
    past, future = clip[:, :, :4], clip[:, :, 4:]
    coins = torch.zeros(3, 4)
    assert torch.equal(predictor(past, 5, future, 0.0, coins).logits, predictor(past, 5).logits)


def test_samples_do_not_see_each_other(predictor, clip):
    together = predictor(clip, 3).sample
    alone = torch.cat([predictor(one[None], 3).sample for one in clip])
    assert torch.allclose(together, alone, atol=1e-6)


def test_a_shifted_past_gives_a_shifted_future(predictor):
    """By 8 pixels, the size of a place on the coarse grid, far from the border: nothing knows where it is."""
    clip = torch.full((1, 2, 2, 112, 112), -1.0)
    clip[:, :, :, 48:64, 48:64] = torch.rand(1, 2, 2, 16, 16, generator=generator()) * 2 - 1
    here, there = predictor(clip, 1).logits, predictor(clip.roll((8, -8), (-2, -1)), 1).logits
    middle = slice(40, 72)
    assert torch.allclose(there.roll((-8, 8), (-2, -1))[..., middle, middle], here[..., middle, middle], atol=1e-5)
    assert here[..., middle, middle].std() > 0.01


def test_a_fresh_model_expects_a_dark_picture():
    sample = ConvLSTMPredictor(**PRESETS["ci"])(torch.full((1, 1, 2, 16, 16), -1.0), 2).sample
    assert sample.min() > -1 and sample.max() < -0.8


def test_a_frame_of_another_size_is_refused(predictor):
    with pytest.raises(ValueError, match=r"\(1, 2, 20, 16\)"):
        predictor.step(torch.zeros(1, 2, 20, 16))
    with pytest.raises(ValueError, match=r"\(1, 1, 24, 16\)"):
        predictor.step(torch.zeros(1, 1, 24, 16))


def test_saved_and_loaded_it_is_the_same(predictor, clip, tmp_path):
    predictor.save_pretrained(tmp_path)
    again = ConvLSTMPredictor.from_pretrained(tmp_path)
    assert torch.equal(again(clip, 2).sample, predictor(clip, 2).sample)


# ------------------------------------------------------------------------------------------------ scheduled sampling


def test_each_sample_is_whole_from_one_of_the_two():
    truth, predicted = torch.ones(200, 2, 3, 4), -torch.ones(200, 2, 3, 4)
    coins = torch.rand(200, generator=generator())
    mixed = scheduled_sampling(truth, predicted, 0.3, coins)
    for sample, coin in zip(mixed, coins):
        assert torch.equal(sample, torch.full((2, 3, 4), 1.0 if coin < 0.3 else -1.0))
    ramp = torch.linspace(0, 1, 200)
    assert torch.equal(scheduled_sampling(truth, predicted, ramp, coins)[:, 0, 0, 0] == 1, coins < ramp)


def test_at_the_ends_the_coins_decide_nothing():
    truth, predicted, coins = torch.ones(3, 1, 2, 2), torch.zeros(3, 1, 2, 2), torch.tensor([0.0, 0.5, 0.999999])
    assert torch.equal(scheduled_sampling(truth, predicted, 0.0, coins), predicted)
    assert torch.equal(scheduled_sampling(truth, predicted, 1.0, coins), truth)


def test_gradients_go_through_predictions_that_are_read():
    predicted = torch.zeros(2, 1, 3, 3, requires_grad=True)
    scheduled_sampling(torch.ones(2, 1, 3, 3), predicted, 0.5, torch.tensor([0.2, 0.7])).sum().backward()
    assert predicted.grad.flatten(1).sum(dim=1).tolist() == [0, 9]


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        scheduled_sampling(torch.ones(2, 1, 3, 3), torch.ones(2, 1, 3, 4), 0.5, torch.rand(2))
    with pytest.raises(ValueError, match=r"\(2, 3\)"):
        scheduled_sampling(torch.ones(2, 1, 3, 3), torch.ones(2, 1, 3, 3), 0.5, torch.rand(2, 3))


# ------------------------------------------------------------------------------------------------ the loss


def test_the_loss_is_torchs_cross_entropy():
    z, target = 8 * torch.randn(2, 1, 3, 4, 5, generator=generator()), torch.rand(2, 1, 3, 4, 5, generator=generator())
    wanted = F.binary_cross_entropy_with_logits(z, target)
    assert torch.allclose(prediction_loss(z, 2 * target - 1), wanted, rtol=1e-6)
    far = torch.tensor([-200.0, 200.0]).reshape(1, 1, 1, 1, 2).requires_grad_()
    loss = prediction_loss(far, torch.tensor([1.0, -1.0]).reshape(1, 1, 1, 1, 2))
    loss.backward()
    assert loss.item() == pytest.approx(200) and far.grad.flatten().tolist() == [-0.5, 0.5]


def test_both_losses_are_smallest_at_the_mean_of_all_futures():
    """Three futures, equally likely: the best single answer to cross-entropy and to squared error is their mean."""
    futures = torch.rand(3, 1, 1, 4, 5, generator=generator()) * 2 - 1
    mean = (futures.mean(dim=0, keepdim=True) + 1) / 2
    best = torch.logit(mean).expand_as(futures)

    def squared(logits):
        return (as_pixels(logits) - futures).square().mean()

    for loss in (lambda z: prediction_loss(z, futures), squared):
        for seed in range(5):
            nudge = 0.05 * torch.randn(best.shape[1:], generator=generator(seed))
            assert loss(best + nudge) > loss(best)
            assert loss(best - nudge) > loss(best)


def test_the_loss_refuses_other_shapes():
    with pytest.raises(ValueError, match="differ in shape"):
        prediction_loss(torch.zeros(2, 1, 3, 4, 5), torch.zeros(2, 1, 2, 4, 5))


# ------------------------------------------------------------------------------------------------ its peers


def test_the_peers_of_the_benchmark_cost_what_is_published(monkeypatch):
    """OpenSTL's ConvLSTM-S: 15.0 M, 56.8 G, with the weights that it never uses. SimVP with ConvMixer: 3.9 M, 5.5 G."""
    folder = Path(__file__).parents[2] / "benchmarks"
    monkeypatch.syspath_prepend(folder)
    spec = importlib.util.spec_from_file_location("moving_mnist", folder / "moving_mnist.py")
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    with torch.device("meta"):  # shapes alone, no numbers
        counts = {side: benchmark.counted(build()) for side, (build, _) in benchmark.SIDES.items()}
    unused = benchmark.UNUSED_BY_CONVLSTM_S
    assert (counts["convlstm_s"]["parameters"] + unused) / 1e6 == pytest.approx(15.0, abs=0.05)
    assert counts["convlstm_s"]["multiplications"] / 1e9 == pytest.approx(56.8, abs=0.05)
    assert counts["simvp"]["parameters"] / 1e6 == pytest.approx(3.9, abs=0.05)
    assert counts["simvp"]["multiplications"] / 1e9 == pytest.approx(5.5, abs=0.05)
    assert counts["ours"]["parameters"] == NUM_PARAMETERS["cpu"]
