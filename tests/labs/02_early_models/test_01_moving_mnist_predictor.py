"""Grader of lab 02.1, the Moving MNIST predictor.

Every test has its own oracle: loops over pixels, one scalar LSTM, a forecaster that is unrolled by hand over the
learner's own `step`, or a little world whose future is known. The library's parts are off limits while this file runs.
"""

import json
import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from common.course.grader_tools import attempt, refuses

exercise = pytest.mark.exercise
CALIBRATION = Path(__file__).parent / "calibration" / "01_moving_mnist_predictor.json"


def draw(seed, *shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def clips(seed, *shape):
    """In [-1, 1]."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def shape(x):
    return tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__


def close(a, b, tolerance=1e-5):
    return a.shape == b.shape and torch.allclose(a.double(), b.double(), rtol=tolerance, atol=tolerance)


def is_tensor(said, got, want):
    assert isinstance(got, torch.Tensor), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert tuple(got.shape) == tuple(want), f"{said} should have the shape {tuple(want)}; yours has {tuple(got.shape)}"
    return got


# ---------------------------------------------------------------------------------------------- error_per_frame


def slow_errors(preds, target, data_range, power):
    """Oracle: one frame after the other, in double precision."""
    errors = []
    for t in range(preds.shape[2]):
        total = 0.0
        for a, b in zip(preds[:, :, t].flatten().tolist(), target[:, :, t].flatten().tolist()):
            total += abs((a - b) / data_range) ** power
        errors.append(total / len(preds))
    return torch.tensor(errors)


def errors_answer(lab, preds, target, num_frames, **options):
    given = ", ".join(f"{name}={value}" for name, value in options.items())
    said, before = f"error_per_frame(preds, target, {given})", (preds.clone(), target.clone())
    got = attempt(said, lab.error_per_frame, preds, target, **options)
    same = torch.equal(preds, before[0]) and torch.equal(target, before[1])
    assert same, f"{said} changed the clip that it was given: work on new tensors"
    axes = {(): "one number: the frames stay apart", (len(preds),): "one a sample", preds.shape[1:2]: "one a channel"}
    found = axes.get(shape(got)) if isinstance(got, torch.Tensor) else None
    assert found is None, f"{said} gives {found}; one number a frame is asked for, axis 2: {(num_frames,)}"
    return said, is_tensor(said, got, (num_frames,))


@exercise("error_per_frame", points=2, hint="(preds - target).abs() / data_range, squared, summed over axes 1, 3 and 4")
def test_errors_are_sums_over_a_frame(lab):
    """white against black is an error of 1 a pixel, and a frame has many"""
    black, white = torch.full((3, 2, 4, 5, 7), -1.0), torch.ones(3, 2, 4, 5, 7)
    _, got = errors_answer(lab, black, white, 4, data_range=2.0)
    pixels = 2 * 5 * 7
    known = (
        (
            1.0,
            "a mean over the pixels: the benchmark sums over channels, rows and columns, here 70 values",
        ),
        (3.0 * pixels, "a sum over the samples: each frame's error is a mean over the batch"),
        (4.0 * pixels, "four times too large: the difference of -1 and 1 is 2; divide by data_range inside the square"),
        (2.0 * pixels, "twice too large: divide by data_range *before* squaring, so by its square"),
        (35.0, "half of what it should be: there are two channels, and both count"),
    )
    for value, message in known:
        assert not close(got, torch.full((4,), value)), f"white against black gives {value:g}: {message}"
    assert close(got, torch.full((4,), float(pixels))), (
        f"two channels of 5x7 pixels, white against black: an error of {pixels} in every frame, not {got.tolist()}"
    )


@exercise("error_per_frame", points=2, hint="The result keeps axis 2 (time): sum over 1, 3, 4, then mean over 0.")
@pytest.mark.parametrize("power", [2, 1])
def test_errors_of_any_clips(lab, seed, power):
    """random clips, squared and absolute, in two ranges"""
    for data_range in (2.0, 255.0):
        preds, target = (clips(seed + k, 2, 3, 4, 5, 6) * data_range / 2 for k in (0, 1))
        said, got = errors_answer(lab, preds, target, 4, data_range=data_range, power=power)
        want = slow_errors(preds, target, data_range, power)
        if power == 1:
            signed = ((preds - target) / data_range).sum(dim=(1, 3, 4)).mean(dim=0)
            assert not close(got, signed, 1e-4), (
                f"{said}: errors above and below cancel each other; with power=1 they must be absolute: abs() first"
            )
            squared = slow_errors(preds, target, data_range, 2)
            assert not close(got, squared, 1e-4), f"{said} gives squared errors: `power` is not used"
        assert close(got, want, 1e-4), (
            f"{said}, range {data_range:g}: should be {[round(v, 3) for v in want.tolist()]}, not "
            f"{[round(v, 3) for v in got.tolist()]}"
        )


@exercise("error_per_frame", points=1, hint="Nothing is clamped and nothing is averaged over time.")
def test_errors_stay_in_their_frame(lab, seed):
    """a change in one frame moves that frame's error alone; values outside the range count in full"""
    preds, target = clips(seed, 3, 1, 5, 4, 6), clips(seed + 1, 3, 1, 5, 4, 6)
    before = errors_answer(lab, preds, target, 5, data_range=2.0)[1].clone()
    preds[1, :, 2] += 5.0
    _, after = errors_answer(lab, preds, target, 5, data_range=2.0)
    moved = [t for t in range(5) if not math.isclose(before[t], after[t], rel_tol=1e-6)]
    assert moved == [2], f"frame 2 of one sample was changed, and the errors of the frames {moved} moved"
    want = slow_errors(preds, target, 2.0, 2)[2].item()
    assert math.isclose(after[2].item(), want, rel_tol=1e-4), (
        f"predictions outside [-1, 1] count as they are: {want:.1f} for that frame, not {after[2]:.1f} (is something "
        "clamped?)"
    )


@exercise("error_per_frame", points=1, hint="preds.float() - target.float(): first convert, then subtract.")
def test_errors_in_float32(lab):
    """from half precision the errors are computed and returned in float32"""
    preds = torch.full((2, 1, 3, 4, 5), 1 - 2**-11, dtype=torch.float16)
    target = torch.full_like(preds, -(2**-12))  # their difference, 1 - 2**-12, is no number of float16
    _, got = errors_answer(lab, preds, target, 3, data_range=2.0)
    assert got.dtype == torch.float32, f"from half precision the errors should come in float32, not {got.dtype}"
    assert close(got, slow_errors(preds, target, 2.0, 2)), (
        "from half precision the errors are less exact than they could be: convert to float32, then subtract"
    )


@exercise("error_per_frame", points=1, hint="if preds.shape != target.shape: raise ValueError(f'… {preds.shape} …')")
def test_errors_refuse_nonsense(lab):
    """shapes that differ, or a range that is not above 0, are a ValueError that names them"""
    preds = clips(0, 2, 1, 3, 4, 5)
    refuses("error_per_frame of clips with 3 and 1 frames", "3, 4, 5", lab.error_per_frame, preds, preds[:, :, :1],
            data_range=2.0)  # fmt: skip
    refuses("error_per_frame of frames (3, 4, 5, 6), which are no clips", "3, 4, 5, 6", lab.error_per_frame,
            *clips(1, 2, 3, 4, 5, 6), data_range=2.0)  # fmt: skip
    refuses("error_per_frame with data_range=0", 0, lab.error_per_frame, preds, preds, data_range=0)
    refuses("error_per_frame with data_range=-2", -2, lab.error_per_frame, preds, preds, data_range=-2)


# ---------------------------------------------------------------------------------------------- ConvLSTMCell


def sigmoid(x):
    return 1 / (1 + torch.exp(-x))


def cell_oracle(cell, x, h, c, order="ifgo", cat=("x", "h")):
    """h' and c' from the cell's own weights, in double precision; and its four gates by name."""
    weight, bias = cell.gates.weight.double(), cell.gates.bias.double()
    parts = {"x": x.double(), "h": h.double()}
    seen = torch.cat([parts[name] for name in cat], dim=1)
    z = F.conv2d(seen, weight, bias, padding=weight.shape[-1] // 2)
    gates = dict(zip(order, z.chunk(4, dim=1)))
    new = sigmoid(gates["f"]) * c.double() + sigmoid(gates["i"]) * torch.tanh(gates["g"])
    return sigmoid(gates["o"]) * torch.tanh(new), new, gates


def a_cell(lab, seed, in_channels=3, hidden=4, kernel_size=3):
    torch.manual_seed(seed)
    cell = attempt(f"ConvLSTMCell({in_channels}, {hidden})", lab.ConvLSTMCell, in_channels, hidden, kernel_size)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(0, 0.6)
    return cell


def cell_answer(cell, x, state, said="cell(x, (h, c))"):
    given = {"x": x} if state is None else {"x": x, "h": state[0], "c": state[1]}
    before = {name: part.detach().clone() for name, part in given.items()}
    got = attempt(said, cell, x, state)
    for name, part in given.items():
        assert x.is_meta or torch.equal(part, before[name]), (
            f"the cell changed the {name} that it was given: work on new tensors"
        )
    assert isinstance(got, tuple | list) and len(got) == 2, (
        f"{said} returned {type(got).__name__}; the pair (h, c) is asked for: hidden state and memory"
    )
    want = (len(x), cell.hidden_channels, *x.shape[2:])
    return [is_tensor(f"{name} of {said}", part, want) for name, part in zip("hc", got)]


@exercise("ConvLSTMCell", points=3, hint="c = sigmoid(f) * c + sigmoid(i) * tanh(g); h = sigmoid(o) * tanh(c)")
def test_cell_equations(lab, seed):
    """the new memory and the new hidden state, number by number"""
    cell = a_cell(lab, seed)
    x, h, c = draw(seed + 1, 2, 3, 5, 6), draw(seed + 2, 2, 4, 5, 6), 2 * draw(seed + 3, 2, 4, 5, 6)
    got_h, got_c = cell_answer(cell, x, (h, c))
    want_h, want_c, gate = cell_oracle(cell, x, h, c)
    old = c.double()
    i, f, g, o = (gate[name] for name in "ifgo")
    if close(got_h, want_h) and close(got_c, want_c):
        return
    assert not (close(got_h, want_c) and close(got_c, want_h)), "h and c are returned in the wrong order: return h, c"

    def is_memory(value):
        return close(got_c, value)

    def is_hidden(value):
        return close(got_h, value)

    for order in ("figo", "ifog", "iogf", "gifo", "fiog", "oifg", "ofig", "igfo", "iofg"):
        assert not is_memory(cell_oracle(cell, x, h, c, order)[1]), (
            f"the four parts of the convolution are taken in the order {', '.join(order)}; it is i, f, g, o"
        )
    if x.shape[1] != h.shape[1]:
        flipped = cell_oracle(cell, x, h, c, cat=("h", "x"))
        assert not is_memory(flipped[1]), "the convolution reads [x, h], the input first; yours reads [h, x]"
    every_fourth = torch.cat([i, f, g, o], dim=1).unflatten(1, (-1, 4)).unbind(dim=2)
    known = (
        (
            sigmoid(every_fourth[1]) * old + sigmoid(every_fourth[0]) * torch.tanh(every_fourth[2]),
            "each gate is every fourth channel; i, f, g, o stand one after the other: chunk(4, dim=1)",
        ),
        (sigmoid(f) * old + sigmoid(i) * g, "tanh is missing at g: what is added is tanh(g), between -1 and 1"),
        (sigmoid(f) * old + sigmoid(i) * sigmoid(g), "g goes through a sigmoid: the memory could only grow; use tanh"),
        (sigmoid(f) * old + torch.tanh(g), "the input gate i is not used: what is added is sigmoid(i) * tanh(g)"),
        (old + sigmoid(i) * torch.tanh(g), "the forget gate f is not used: sigmoid(f) * c is what stays"),
        (sigmoid(i) * torch.tanh(g), "the old memory is lost: sigmoid(f) * c is missing"),
        ((1 - sigmoid(f)) * old + sigmoid(i) * torch.tanh(g), "sigmoid(f) is what *stays*, not what is forgotten"),
        (sigmoid(f + 1) * old + sigmoid(i) * torch.tanh(g), "1 is added to f: that 1 is in the bias already"),
        (
            sigmoid(f) * h.double() + sigmoid(i) * torch.tanh(g),
            "the forget gate is at h: it keeps the memory c",
        ),
        (
            sigmoid(f) * old + (1 - sigmoid(f)) * torch.tanh(g),
            "the input gate is 1 - the forget gate, as in a GRU: use i",
        ),
    )
    for value, message in known:
        assert not is_memory(value), f"the memory is wrong: {message}"
    assert is_memory(want_c), "the memory is wrong: c' = sigmoid(f) * c + sigmoid(i) * tanh(g)"
    known = (
        (sigmoid(o) * want_c, "tanh is missing: h' = sigmoid(o) * tanh(c')"),
        (sigmoid(o) * torch.tanh(old), "it shows the old memory: h' is made of the new one"),
        (torch.tanh(want_c), "the output gate o is not used"),
        (torch.tanh(o) * torch.tanh(want_c), "the output gate goes through tanh: gates are sigmoids, 0 to 1"),
        (sigmoid(o) * sigmoid(want_c), "the memory goes through a sigmoid: h' = sigmoid(o) * tanh(c')"),
        (o * torch.tanh(want_c), "the output gate goes through nothing: sigmoid(o)"),
    )
    for value, message in known:
        assert not is_hidden(value), f"the memory is right, the hidden state is wrong: {message}"
    assert is_hidden(want_h), "the memory is right, the hidden state is wrong: h' = sigmoid(o) * tanh(c')"


@exercise("ConvLSTMCell", points=1, hint="zeros = x.new_zeros(len(x), self.hidden_channels, *x.shape[2:])")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cell_begins_with_zeros(lab, seed, dtype):
    """without a state both h and c are zeros, of the input's own type and size"""
    cell = a_cell(lab, seed).to(dtype)
    for size in ((5, 6), (4, 9)):
        x, zeros = draw(seed + 1, 2, 3, *size).to(dtype), torch.zeros(2, 4, *size, dtype=dtype)
        got = cell_answer(cell, x, None, "cell(x), without a state,")
        for part, want in zip(got, cell_oracle(cell, x, zeros, zeros)):
            assert part.dtype == dtype, f"an input in {dtype} should give a state in {dtype}, not {part.dtype}"
            assert close(part, want), "without a state the cell should begin with zeros for h and for c"


@exercise("ConvLSTMCell", points=1, hint="x.new_zeros(…) has the type and the device of x.")
def test_cell_runs_where_its_input_is(lab, seed):
    """in half precision and on another device, with a state and without one"""
    cell = a_cell(lab, seed).to("meta", torch.float16)  # a device that knows shapes and types, no numbers
    x, h, c = (torch.empty(2, n, 5, 6, device="meta", dtype=torch.float16) for n in (3, 4, 4))
    for state, said in ((None, "cell(x), without a state,"), ((h, c), "cell(x, (h, c))")):
        for part in cell_answer(cell, x, state, f"{said} in float16 and on another device"):
            assert (part.dtype, part.device) == (x.dtype, x.device), (
                f"{said} for an x in {x.dtype} on the device {x.device} gives {part.dtype} on {part.device}: make "
                "zeros with x.new_zeros"
            )


@exercise("ConvLSTMCell", points=1, hint="Nothing is kept on self, and nothing is changed in place (no *=, no +=).")
def test_cell_has_no_past_of_its_own(lab, seed):
    """the same input and state always give the same; the given state is left alone; samples do not mix"""
    cell = a_cell(lab, seed)
    x, h, c = draw(seed + 1, 3, 3, 5, 6), draw(seed + 2, 3, 4, 5, 6), draw(seed + 3, 3, 4, 5, 6)
    first = [part.clone() for part in cell_answer(cell, x, (h, c))]
    again = cell_answer(cell, x, (h, c))
    assert all(torch.equal(a, b) for a, b in zip(first, again)), (
        "the same input and state gave another answer the second time: the state is an argument, never kept on self"
    )
    fresh = cell_answer(cell, x, None, "cell(x) after other calls")
    zeros = torch.zeros_like(h)
    assert all(close(a, b) for a, b in zip(fresh, cell_oracle(cell, x, zeros, zeros))), (
        "without a state the cell goes on from an earlier call: the state is an argument, never kept on self"
    )
    x[1] += 1
    moved = (cell_answer(cell, x, (h, c))[1] != first[1]).flatten(1).any(dim=1).tolist()
    assert moved == [False, True, False], "sample 1 of the batch was changed, and others moved with it"


@exercise("ConvLSTMCell", points=1, hint="No .detach(), no torch.no_grad(), no .data.")
def test_cell_lets_gradients_through(lab, seed):
    """a loss on the memory reaches the input, the hidden state and the memory before"""
    cell = a_cell(lab, seed)
    x, h, c = (draw(seed + k, 2, n, 5, 6).requires_grad_() for k, n in ((1, 3), (2, 4), (3, 4)))
    got_h, got_c = cell_answer(cell, x, (h, c))
    assert got_h.requires_grad and got_c.requires_grad, (
        "the cell's answer carries no gradient: nothing could be learned"
    )
    want_h, want_c, _ = cell_oracle(cell, x, h, c)
    for shown, got, want in (("the memory", got_c, want_c), ("the hidden state", got_h, want_h)):
        for name, part in (("the input", x), ("the hidden state before", h), ("the memory before", c)):
            (found,) = torch.autograd.grad(got.sum(), part, retain_graph=True, allow_unused=True)
            (wanted,) = torch.autograd.grad(want.sum(), part, retain_graph=True)
            assert found is not None and found.abs().sum() > 0, (
                f"no gradient of {shown} reaches {name}: nothing is learned over time (is something detached?)"
            )
            assert close(found, wanted, 1e-4), (
                f"the gradient of {shown} that reaches {name} is not the whole one: a part on the way is detached"
            )


# ---------------------------------------------------------------------------------------------- scheduled_sampling


def sampled(lab, truth, predicted, probability, coins):
    said = f"scheduled_sampling(truth, predicted, probability={_shown(probability)}, coins={_shown(coins)})"
    got = attempt(said, lab.scheduled_sampling, truth, predicted, probability, coins)
    return said, is_tensor(said, got, truth.shape)


def _shown(value):
    return [round(v, 2) for v in value.tolist()] if isinstance(value, torch.Tensor) else value


@exercise("scheduled_sampling", points=3, hint="chosen = coins < probability, one for each sample; then torch.where.")
def test_sampling_is_one_coin_a_sample(lab, seed):
    """each sample is whole from one of the two: the truth where its coin is below the probability"""
    truth, predicted = draw(seed, 4, 2, 5, 4), draw(seed + 1, 4, 2, 5, 4)
    coins, given = torch.tensor([0.7, 0.1, 0.45, 0.3]), predicted.clone()
    before = torch.get_rng_state()
    said, got = sampled(lab, truth, predicted, 0.4, coins)
    assert torch.equal(torch.get_rng_state(), before), f"{said} throws coins of its own; use the ones that are given"
    assert torch.equal(predicted, given), f"{said} changed the prediction that it was given: make a new tensor"
    share = 0.4 * truth + 0.6 * predicted
    assert not close(got, share), f"{said} mixes both frames: a ghost of the two. Read one or the other, whole"
    whole = [close(a, t) or close(a, p) for a, t, p in zip(got, truth, predicted)]
    assert all(whole), (
        f"{said}: sample {whole.index(False)} is made of pieces of both frames; one coin decides for a whole sample"
    )
    from_truth = [close(a, t) for a, t in zip(got, truth)]
    wanted = [False, True, False, True]
    assert from_truth != [not w for w in wanted], (
        f"{said} is the wrong way round: `probability` is that of the *truth*, so below it the truth is read"
    )
    assert len(set(from_truth)) > 1, f"{said} takes all samples from one of the two: each sample has a coin of its own"
    assert from_truth == wanted, f"{said} reads the truth in samples {from_truth}; by the coins it is {wanted}"


@exercise("scheduled_sampling", points=2, hint="coins < probability works for one number and for one a sample alike.")
def test_sampling_by_a_probability_for_each_sample(lab, seed):
    """a probability for each sample, `(B,)`, also where B is the width of the frames"""
    for size in ((3, 2, 4, 5), (5, 2, 4, 5), (4, 4, 4, 4)):
        count = size[0]
        truth, predicted = draw(seed, *size), draw(seed + 1, *size)
        coins = torch.full((count,), 0.5)
        probability = torch.tensor([0.9, 0.1, 0.8, 0.2, 0.7][:count])
        said, got = sampled(lab, truth, predicted, probability, coins)
        from_truth = [close(a, t) for a, t in zip(got, truth)]
        wanted = [p > 0.5 for p in probability.tolist()]
        assert from_truth == wanted, (
            f"{said}, frames {size}: the truth is read in samples {from_truth}; by the coins it is {wanted}. Do the "
            "coins line up with the first axis (append_dims), or with the columns?"
        )


@exercise("scheduled_sampling", points=1, hint="Strictly below: coins < probability.")
def test_sampling_at_the_ends(lab, seed):
    """with probability 0 never the truth, with 1 always, whatever the coins show"""
    truth, predicted = draw(seed, 3, 1, 4, 5), draw(seed + 1, 3, 1, 4, 5)
    coins = torch.tensor([0.0, 0.5, 0.99999])
    _, never = sampled(lab, truth, predicted, 0.0, coins)
    assert close(never, predicted), (
        "with probability 0 the truth was read, where a coin was exactly 0: coins lie in [0, 1), so `<`, not `<=`"
    )
    _, always = sampled(lab, truth, predicted, 1.0, coins)
    assert close(always, truth), "with probability 1 a prediction was read"


@exercise("scheduled_sampling", points=1, hint="torch.where lets gradients through; no .detach().")
def test_sampling_lets_gradients_through(lab, seed):
    """what was misled by its own prediction learns from it: gradients pass where a prediction is read"""
    truth, predicted = draw(seed, 2, 1, 4, 5), draw(seed + 1, 2, 1, 4, 5).requires_grad_()
    _, got = sampled(lab, truth, predicted, 0.5, torch.tensor([0.2, 0.8]))
    assert got.requires_grad, "no gradient reaches the prediction where it is read: it was detached"
    got.sum().backward()
    reached = predicted.grad.flatten(1).sum(dim=1).tolist()
    assert reached == [0.0, 20.0], "the gradient should reach the prediction where it is read, and nowhere else"


@exercise("scheduled_sampling", points=1, hint="if coins.shape != truth.shape[:1]: raise ValueError(...)")
def test_sampling_refuses_nonsense(lab):
    """frames of two shapes, or coins that are not one a sample, are a ValueError that names them"""
    frames = torch.zeros(2, 1, 4, 5)
    refuses("scheduled_sampling of frames (2, 1, 4, 5) and (2, 1, 4, 6)", "4, 6", lab.scheduled_sampling, frames,
            torch.zeros(2, 1, 4, 6), 0.5, torch.rand(2))  # fmt: skip
    refuses("scheduled_sampling of frames (2, 3, 4, 5) and (2, 1, 4, 5)", "3, 4, 5", lab.scheduled_sampling,
            torch.zeros(2, 3, 4, 5), frames, 0.5, torch.rand(2))  # fmt: skip
    refuses("scheduled_sampling with coins (3,) for a batch of 2", "3", lab.scheduled_sampling, frames, frames, 0.5,
            torch.rand(3))  # fmt: skip
    for size in ((2, 4), (2, 1)):
        refuses(f"scheduled_sampling with coins {size}", str(size)[1:-1], lab.scheduled_sampling, frames, frames, 0.5,
                torch.rand(size))  # fmt: skip


# ---------------------------------------------------------------------------------------------- ConvLSTMPredictor


def a_predictor(lab, seed):
    """The learner's predictor, small, with weights at random, so that every frame and every state matters."""
    torch.manual_seed(seed)
    said = "ConvLSTMPredictor(in_channels=2, fine_channels=5, coarse_channels=7, feedback_channels=3)"
    sizes = {"in_channels": 2, "fine_channels": 5, "coarse_channels": 7, "feedback_channels": 3}
    model = attempt(said, lab.ConvLSTMPredictor, **sizes)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    return model.eval()


def unrolled(
    model, past, num_future, truth=None, chosen=None, feed=None, again=False, late=0, hand_over=None, hand_on=None
):
    """Oracle: the predictor's logits `(B, C, T, H, W)` by hand, over its own `step`; and ways to do it wrong.

    `chosen` `(B, num_future - 1)`: where the truth is read. `feed`: logits -> what is read. `again`: the last frame of
    the past is read twice. `late`: the truth is read so many frames late. `hand_over`: state -> the state with
    which the forecaster begins. `hand_on`: (that state, its last one) -> the state with which it goes on.
    """
    feed = feed or (lambda logits: 2 * sigmoid(logits) - 1)
    state, logits = None, []
    for t in range(past.shape[2]):
        expected, state = model.step(past[:, :, t], state)
        logits.append(expected)
    if again:
        expected, state = model.step(past[:, :, -1], state)
    first = state = hand_over(state) if hand_over else state
    for k in range(num_future - 1):
        frame = feed(expected)
        if truth is not None:
            true = truth[:, :, min(k + late, truth.shape[2] - 1)]
            frame = torch.where(chosen[:, k].reshape(-1, 1, 1, 1), true, frame)
        expected, state = model.step(frame, hand_on(first, state) if hand_on and k else state)
        logits.append(expected)
    return torch.stack(logits, dim=2)


def predicted(model, past, num_future, *more, said=None):
    said = said or f"model(past, num_future={num_future}), with a past of {past.shape[2]} frames,"
    output = attempt(said, model, past, num_future, *more)
    for name in ("sample", "logits"):
        assert isinstance(getattr(output, name, None), torch.Tensor), (
            f"{said} returned {type(output).__name__} without .{name}: return PredictorOutput(sample=…, logits=…)"
        )
    batch, channels, frames, height, width = past.shape
    for name, count in (("sample", num_future), ("logits", frames - 1 + num_future)):
        got = getattr(output, name)
        if got.ndim == 5 and got.shape[1] == count != got.shape[2]:
            pytest.fail(f".{name} of {said} has the frames on axis 1, {shape(got)}: stack along dim=2")
        if name == "logits" and got.ndim == 5 and got.shape[2] == frames + num_future:
            pytest.fail(
                f".logits of {said} has a frame too many, {got.shape[2]}: what is expected when the last frame of the "
                "past is read is the future's first frame already"
            )
        assert got.ndim == 5 and got.shape[2] == count, (
            f".{name} of {said} should hold {count} frames, {(batch, channels, count, height, width)}; yours is "
            f"{shape(got)}"
        )
        is_tensor(f".{name} of {said}", got, (batch, channels, count, height, width))
    return output


@exercise("ConvLSTMPredictor", points=2, hint="for each frame: expected, state = self.step(frame, state)",
          needs=("ConvLSTMCell", "scheduled_sampling"))  # fmt: skip
@torch.no_grad()
def test_predictor_reads_the_past(lab, seed):
    """the encoder: one expectation for each frame that is read, in order, the state handed on"""
    model, past = a_predictor(lab, seed), clips(seed, 2, 2, 4, 16, 24)
    logits = predicted(model, past, 1).logits
    want = unrolled(model, past, 1)
    alone = torch.stack([model.step(past[:, :, t])[0] for t in range(4)], dim=2)
    assert not close(logits, alone), "the encoder forgets: each frame is read without the state of the one before"
    backwards = unrolled(model, past.flip(2), 1)
    assert not close(logits, backwards), "the past is read from its end: time runs forward"
    assert close(logits, want), "what is expected while the past is read is not what step gives, frame after frame"
    other = past.clone()
    other[:, :, 2] = other[:, :, 2].flip(-1)
    moved = (predicted(model, other, 1).logits != logits).transpose(0, 2).flatten(1).any(dim=1).tolist()
    assert moved == [False, False, True, True], (
        f"frame 2 was changed, and the expectations {[t for t in range(4) if moved[t]]} moved; only those after it may"
    )


@exercise("ConvLSTMPredictor", points=3, hint="frame = as_pixels(expected); expected, state = self.step(frame, state)",
          needs=("ConvLSTMCell", "scheduled_sampling"))  # fmt: skip
@torch.no_grad()
def test_predictor_lives_on_its_predictions(lab, seed):
    """the forecaster: begins where the encoder ended, and reads what it predicted"""
    model, past = a_predictor(lab, seed), clips(seed, 2, 2, 3, 16, 24)
    output = predicted(model, past, 4)
    want = unrolled(model, past, 4)
    if close(output.logits, want):
        return
    assert close(output.logits[:, :, :3], want[:, :, :3]), "the expectations of the past are wrong"
    last = past[:, :, -1]
    known = (
        ({"feed": lambda z: z}, "it reads its own logits: bring them to pixels first, as_pixels(expected)"),
        ({"feed": sigmoid}, "it reads brightness from 0 to 1; it was shown pixels in [-1, 1]: as_pixels(expected)"),
        ({"feed": torch.sign}, "it reads its prediction in black and white: as_pixels(expected), the grey too"),
        (
            {"feed": torch.tanh},
            "it reads tanh(expected), which is too sure of itself: as_pixels(expected) is tanh(expected / 2)",
        ),
        ({"feed": lambda z: last}, "it reads the last true frame at every step"),
        (
            {"hand_on": lambda first, last: first},
            "it forgets: each step begins with the encoder's state, not with that of the step before",
        ),
        ({"hand_over": lambda state: None}, "it begins without the encoder's state: nothing of the past reaches it"),
        ({"again": True}, "the last frame of the past is read a second time, so that everything comes one frame late"),
    )
    for options, message in known:
        assert not close(output.logits, unrolled(model, past, 4, **options)), f"the forecaster is wrong: {message}"
    pytest.fail(
        "the forecaster is wrong: each step reads as_pixels of the expectation before, with the state handed on"
    )


@exercise("ConvLSTMPredictor", points=1, hint="sample=as_pixels(logits[:, :, -num_future:])",
          needs=("ConvLSTMCell", "scheduled_sampling"))  # fmt: skip
@torch.no_grad()
def test_predictor_gives_the_future(lab, seed):
    """`.sample` is the future alone, as pixels in [-1, 1]; a past of one frame and a future of one will do"""
    model = a_predictor(lab, seed)
    for num_past, num_future in ((3, 4), (4, 3), (1, 3), (5, 1)):
        past = clips(seed + num_past, 2, 2, num_past, 16, 24)
        output = predicted(model, past, num_future)
        logits = unrolled(model, past, num_future)[:, :, -num_future:]
        want = 2 * sigmoid(logits.double()) - 1
        assert not close(output.sample, logits), ".sample holds logits: bring them to pixels with as_pixels"
        assert not close(output.sample, sigmoid(logits)), ".sample is brightness from 0 to 1: as_pixels gives [-1, 1]"
        assert close(output.sample, want), (
            f".sample should be the last {num_future} expectations as pixels: the frames after the past of {num_past}"
        )


@exercise("ConvLSTMPredictor", points=3, hint="scheduled_sampling(truth[:, :, k], frame, probability, coins[:, k])",
          needs=("ConvLSTMCell", "scheduled_sampling"))  # fmt: skip
@torch.no_grad()
def test_predictor_reads_the_truth_by_the_coins(lab, seed):
    """with the truth given, each sample reads it at the steps where its coin says so, and the right frame of it"""
    model, past, truth = a_predictor(lab, seed), clips(seed, 3, 2, 3, 16, 24), clips(seed + 1, 3, 2, 5, 16, 24)
    coins = torch.tensor([[0.2, 0.8, 0.1, 0.9], [0.7, 0.3, 0.4, 0.05], [0.6, 0.9, 0.5, 0.2]])
    said = "model(past, 5, truth, 0.45, coins)"
    logits = predicted(model, past, 5, truth, 0.45, coins, said=said).logits
    chosen = coins < 0.45
    want = unrolled(model, past, 5, truth, chosen)
    given = {"truth": truth, "chosen": chosen}
    known = (
        ({}, "the truth is never read"),
        (given | {"chosen": coins < 1}, "the truth is read at every step, whatever the coins"),
        (
            given | {"chosen": ~chosen},
            "truth and prediction are exchanged: scheduled_sampling(truth, predicted, …)",
        ),
        (given | {"late": 1}, "the truth is read one frame late: at step k it is truth[:, :, k]"),
        (given | {"late": -1}, "the truth is read one frame early: at step k it is truth[:, :, k]"),
        (given | {"chosen": coins < 0.55}, "it is read with 1 - probability: `probability` is the truth's"),
        (
            given | {"chosen": chosen[:, :1].expand(-1, 4)},
            "one coin decides for all steps: step k has its own, coins[:, k]",
        ),
        (given | {"feed": lambda z: z}, "it reads its own logits: as_pixels(expected)"),
    )
    for options, message in () if close(logits, want) else known:
        assert not close(logits, unrolled(model, past, 5, **options)), f"{said}: {message}"
    assert close(logits, want), (
        f"{said}: step k reads scheduled_sampling(truth[:, :, k], as_pixels(expected), probability, coins[:, k])"
    )
    always = predicted(
        model, past, 5, truth, torch.ones(3), coins, said="with a probability of 1 for each sample, it"
    ).logits
    longer = unrolled(model, torch.cat([past, truth[:, :, :4]], dim=2), 1)
    assert close(always, longer), "with the truth always, it should expect what the encoder expects of a longer past"


@exercise("ConvLSTMPredictor", points=1, hint="No .detach(), no torch.no_grad(): it learns from its mistakes.",
          needs=("ConvLSTMCell", "scheduled_sampling"))  # fmt: skip
def test_predictor_lets_gradients_through(lab, seed):
    """the last prediction can be blamed on the first frame, and on predictions that misled it"""
    model, past = a_predictor(lab, seed), clips(seed, 1, 2, 2, 16, 16).requires_grad_()
    sample = predicted(model, past, 3).sample
    assert sample.requires_grad, "the prediction carries no gradient: nothing could be learned"
    (got,) = torch.autograd.grad(sample[:, :, -1].sum(), past, allow_unused=True)
    assert got is not None and got.abs().sum() > 0, (
        "no gradient of the last prediction reaches the past: is the state detached?"
    )

    def gradient(**options):
        last = 2 * sigmoid(unrolled(model, past, 3, **options)[:, :, -1]) - 1
        return torch.autograd.grad(last.sum(), past)[0]

    cut = "the gradient that reaches the past is not the whole one"
    want = gradient()
    if close(got, want, 1e-4):
        return
    fed = gradient(feed=lambda z: (2 * sigmoid(z) - 1).detach())
    assert not close(got, fed, 1e-4), f"{cut}: the prediction is detached before it is read"
    for options in ({"hand_over": detached}, {"hand_on": lambda first, last: detached(last)}):
        assert not close(got, gradient(**options), 1e-4), f"{cut}: the state is detached on its way"
    pytest.fail(f"{cut}: something is detached on the way")


def detached(state):
    return tuple(tuple(part.detach() for part in cell) for cell in state)


# ---------------------------------------------------------------------------------------------- prediction_loss


def nats(z, x):
    """Oracle: the cross-entropy of one pixel, from the definition, where it can be computed."""
    p = 1 / (1 + math.exp(-z))
    return -(x * math.log(p) if x else 0.0) - ((1 - x) * math.log(1 - p) if x < 1 else 0.0)


def loss_answer(lab, logits, target, said="prediction_loss(logits, target)"):
    got = attempt(said, lab.prediction_loss, logits, target)
    assert isinstance(got, torch.Tensor), f"{said} returned {type(got).__name__}; a tensor is asked for"
    assert got.ndim == 0, f"{said} should be one number, a mean over everything; yours has the shape {shape(got)}"
    return got


@exercise("prediction_loss", points=3, hint="x = (target + 1) / 2; (F.softplus(z) - x * z).mean()")
def test_loss_is_the_cross_entropy(lab, seed):
    """grey, black and white targets, against the definition"""
    z, target = 3 * draw(seed, 2, 1, 3, 4, 5), clips(seed + 1, 2, 1, 3, 4, 5)
    target[0, :, 0], target[1, :, 1] = 1.0, -1.0
    got = loss_answer(lab, z, target).item()
    x = (target + 1) / 2
    pixels = list(zip(z.flatten().tolist(), x.flatten().tolist()))
    want = sum(nats(*pixel) for pixel in pixels) / len(pixels)
    z64, p = z.double(), sigmoid(z.double())
    entropy = F.binary_cross_entropy_with_logits
    known = (
        (want * len(pixels), "a sum over the pixels; the mean is asked for"),
        (want * len(pixels) / 2, "a sum over each clip; the mean over all pixels is asked for"),
        (-want, "its sign is wrong: surprise is positive"),
        (
            entropy(z64, target.double()).item(),
            "the target is used as it is, in [-1, 1]: a probability is (target + 1) / 2",
        ),
        (entropy(z64, 1 - x.double()).item(), "black and white are exchanged"),
        ((p - x.double()).square().mean().item(), "that is the squared error; cross-entropy is asked for"),
        (entropy(p, x.double()).item(), "the sigmoid is taken twice: the formula wants the logits themselves"),
        (-(x.double() * p.log()).mean().item(), "the black half is missing: -(1 - x) log(1 - p)"),
        (
            want - sum(nats(math.log(b / (1 - b)), b) for _, b in pixels if 0 < b < 1) / len(pixels),
            "the target's own entropy is taken off, as in a divergence; the cross-entropy is asked for",
        ),
        (want / math.log(2), "that is in bits; nats are asked for: the natural logarithm"),
    )
    for value, message in known:
        assert not math.isclose(got, value, rel_tol=1e-4), f"prediction_loss gives {got:.4f}: {message}"
    assert math.isclose(got, want, rel_tol=1e-4), f"prediction_loss gives {got:.4f}; by the definition it is {want:.4f}"


@exercise(
    "prediction_loss", points=2, hint="Never log(sigmoid(z)), never log(1 + exp(z)) written out: F.softplus(z) - x * z."
)
def test_loss_of_one_who_is_sure(lab):
    """logits of 200, right and wrong: the loss is finite, and so is its gradient"""
    z = torch.tensor([200.0, -200.0, 200.0, -200.0, 0.4, 90.0]).reshape(1, 1, 1, 2, 3).requires_grad_()
    target = torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0]).reshape(1, 1, 1, 2, 3)
    got = loss_answer(lab, z, target, "prediction_loss of logits up to 200")
    assert torch.isfinite(got), (
        f"logits of 200 give a loss of {got.item()}: the logarithm of 0 was taken, or exp(200). F.softplus is safe"
    )
    want = (200 + 200 + nats(0.4, 1.0) + 90) / 6
    assert math.isclose(got.item(), want, rel_tol=1e-4), (
        f"of the six pixels two are right and sure, two wrong by 200 nats, one by 0.51, one by 90: a mean of "
        f"{want:.2f}, not {got.item():.2f} (are logits or probabilities held back by a clamp or an epsilon?)"
    )
    (slope,) = torch.autograd.grad(got, z)
    assert torch.isfinite(slope).all(), "the gradient at a logit of 200 is not a number"
    wanted = torch.tensor([0.0, 0.0, 1.0, -1.0, sigmoid(torch.tensor(0.4)) - 1, 1.0]) / 6
    assert close(slope.flatten(), wanted, 1e-4), (
        "the gradient at each pixel should be p - x, over the number of pixels, also where it is sure and wrong"
    )


@exercise("prediction_loss", points=1, hint="logits.float(), target.float()")
def test_loss_in_float32(lab, seed):
    """in half precision the loss is computed and returned in float32"""
    z, target = 3 * draw(seed, 2, 1, 3, 8, 8), clips(seed + 1, 2, 1, 3, 8, 8)
    exact = F.binary_cross_entropy_with_logits(z.half().double(), (target.half().double() + 1) / 2).item()
    got = loss_answer(lab, z.half(), target.half(), "prediction_loss of float16 tensors")
    assert got.dtype == torch.float32, f"from float16 the loss should come in float32, not {got.dtype}"
    assert math.isclose(got.item(), exact, rel_tol=1e-5), (
        "from float16 the loss is less exact than it could be: convert to float32 before anything else"
    )


@exercise("prediction_loss", points=1, hint="if logits.shape != target.shape: raise ValueError(...)")
def test_loss_refuses_other_shapes(lab):
    """logits and target of different shapes are a ValueError that names them"""
    refuses("prediction_loss of 3 frames of logits and 1 of target", "3, 4, 5", lab.prediction_loss,
            torch.zeros(2, 1, 3, 4, 5), torch.zeros(2, 1, 1, 4, 5))  # fmt: skip


# ---------------------------------------------------------------------------------------------- it learns


def gliding(seed, count, num_frames=4, size=8):
    """A white bar 2 wide that glides left or right by 2 pixels a frame, around and around: `(count, 1, T, size, size)`.

    One frame does not tell which way it goes; two do.
    """
    generator = torch.Generator().manual_seed(seed)
    start = torch.randint(0, size, (count, 1), generator=generator)
    way = 2 * torch.randint(0, 2, (count, 1), generator=generator) - 1
    left = (start + 2 * way * torch.arange(num_frames)) % size  # (count, T)
    column = (torch.arange(size) - left[..., None]) % size  # (count, T, size)
    bars = torch.where(column < 2, 1.0, -1.0)
    return bars[:, None, :, None, :].expand(-1, -1, -1, size, -1).contiguous()


def forecast_error(lab, seed, steps=30):
    """Train the learner's parts on the gliding bar for a moment; the error of frames that they predict, per pixel."""
    torch.manual_seed(seed)
    model = lab.ConvLSTMPredictor(fine_channels=8, coarse_channels=8, feedback_channels=4)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-2)
    for step in range(steps):
        past, future = gliding(1000 * seed + step, 16).chunk(2, dim=2)  # two frames each
        coins = torch.rand(16, 1, generator=torch.Generator().manual_seed(step))
        logits = model(past, 2, future, 1 - 2 * step / steps, coins).logits
        loss = lab.prediction_loss(logits, torch.cat([past[:, :, 1:], future], dim=2))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    past, future = gliding(999_999, 64).chunk(2, dim=2)
    with torch.no_grad():
        sample = model(past, 2).sample
        return (lab.error_per_frame(sample, future, data_range=2.0).mean() / 64).item()


@exercise(
    "prediction_loss",
    points=2,
    hint="Does the state reach the forecaster, and the loss the weights?",
    needs=("ConvLSTMCell", "scheduled_sampling", "ConvLSTMPredictor", "error_per_frame"),
)
def test_the_parts_learn_which_way(lab):
    """all parts together, trained for a moment, predict which way a bar glides: only a memory can"""
    bar = json.loads(CALIBRATION.read_text(encoding="utf-8"))["threshold"]
    found = attempt("a short training with your parts", forecast_error, lab, seed=0)
    assert found < bar, (
        f"after a short training the predicted frames are wrong by {found:.3f} a pixel, where {bar:.3f} is asked for: "
        "without a working memory nobody can tell which way the bar glides"
    )
