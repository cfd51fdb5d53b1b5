"""Grader of lab 02.1. Its oracles go gate by gate, and unroll a forecaster by hand over the learner's own `step`."""

from dataclasses import replace
from functools import partial

import pytest
import torch
import torch.nn.functional as F

from common.course.graders import Call, attempt, outcomes, record, tensor, theorems, values
from common.data.walks import gliding_bars

exercise = pytest.mark.exercise


errors = Call("error_per_frame", takes={"preds": "b c t h w", "target": "b c t h w"}, gives=tensor("t", torch.float32))


def per_frame(preds, target, data_range, power=2, channels=slice(None), measure=torch.abs):
    """Oracle in double precision, `(T,)`; and ways to do it wrong."""
    difference = measure((preds.double() - target.double())[:, channels] / data_range)
    return difference.pow(power).transpose(0, 2).flatten(1).sum(dim=1) / len(preds)


@exercise("error_per_frame", points=6, hint="((preds - target).abs() / data_range) ** power, summed over axes 1, 3, 4")
def test_errors_are_sums_over_a_frame(lab, seed, look):
    """summed over channels and pixels, averaged over samples, in the data range, squared or absolute"""
    mistakes = {
        "that is a mean over the pixels. Sum them": lambda p, t, **o: per_frame(p, t, **o) / p[0, :, 0].numel(),
        "data_range is not used: divide the difference by it": lambda p, t, data_range, **o: per_frame(p, t, 1.0, **o),
        "only the first channel counts. Sum over all": lambda p, t, **o: per_frame(p, t, **o, channels=slice(1)),
        "with power 1 errors above and below cancel. Take absolute values": partial(per_frame, measure=lambda x: x),
        "something is clamped. Values outside the range count in full": (
            lambda p, t, data_range, **o: per_frame(p.clamp(-data_range / 2, data_range / 2), t, data_range, **o)
        ),
    }
    preds, target = values.noise(seed, 2, 3, 4, 5, 6), values.noise(seed + 1, 2, 3, 4, 5, 6)
    rows = [(preds, target, {"data_range": data_range, "power": power}) for data_range, power in
            ((2.0, 2), (2.0, 1), (0.5, 2), (255, 1), (7.0, 2))]  # fmt: skip
    rows += [(torch.full((3, 2, 1, 4, 5), -1.0), torch.ones(3, 2, 1, 4, 5), {"data_range": 2}),
             (preds[:1, :1, :2], target[:1, :1, :2], {"data_range": 1.0})]  # fmt: skip
    look(target=per_frame(preds, target, 2.0), yours=errors(lab, preds, target, data_range=2.0).value)
    because = "each pixel's error is (|preds - target| / data_range)^power, squared without `power`"
    errors.table(lab, rows, per_frame, mistakes, because=because)


@exercise("error_per_frame", points=3, hint="preds.float() - target.float(); ValueError if preds.shape != target.shape")
def test_errors_owe(lab, seed):
    """float32, also from half precision; any memory layout; unequal shapes and a range not above 0 are a ValueError"""
    preds, target = values.uniform(seed, 2, 3, 4, 5, 6), values.uniform(seed + 1, 2, 3, 4, 5, 6)
    for dtype in (torch.float16, torch.bfloat16):
        theorems.computes_in_float32(errors, lab, preds, target, truth=per_frame, dtype=dtype, data_range=2.0)
    theorems.owes(errors, lab, preds, target, dtypes=(torch.float64,), data_range=2.0, power=1)
    clip = torch.zeros(2, 1, 3, 4, 5)
    for preds, target in ((clip, clip[:, :, :1]), (clip[:1], clip), (clip[0], clip[0]), (clip[None], clip[None])):
        errors.refuses(lab, preds, target, data_range=2.0)
    for data_range in (0, 0.0, -2, -0.5):
        errors.refuses(lab, clip, clip, data_range=data_range)


HIDDEN = 4  # the channels of h and c
cell = Call("cell", takes={"x": "b i y x"}, parameters=("x", "state"), sizes=lambda given: {"k": HIDDEN},
            gives=record("tuple", h=tensor("b k y x", "same"), c=tensor("b k y x", "same")))  # fmt: skip


def made_cell(lab, seed, kernel_size=3):
    """The learner's cell for three input channels, with random weights: gates and biases are not zero."""
    torch.manual_seed(seed)
    net = attempt(f"ConvLSTMCell(3, {HIDDEN}, {kernel_size})", lab.ConvLSTMCell, 3, HIDDEN, kernel_size)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.normal_(0, 0.6)
    return net


def inputs(seed, batch=2, height=5, width=6):
    """An input, and a state (h, c)."""
    h, c = (values.noise(seed + k, batch, HIDDEN, height, width, scale=k) for k in (1, 2))
    return values.noise(seed, batch, 3, height, width), (h, c)


def gated(net, part, x, state, forget=torch.sigmoid, candidate=torch.tanh, order="ifgo", flip=False):
    """Oracle: h' or c' from the cell's own weights, in double precision; and ways to do it wrong."""
    h, c = (value.double() for value in state)
    seen = torch.cat([h, x.double()] if flip else [x.double(), h], dim=1)
    z = F.conv2d(seen, net.gates.weight.double(), net.gates.bias.double(), padding=net.gates.padding)
    gates = dict(zip(order, z.chunk(4, dim=1)))
    new = forget(gates["f"]) * c + gates["i"].sigmoid() * candidate(gates["g"])
    return new if part == "c" else gates["o"].sigmoid() * new.tanh()


@exercise("ConvLSTMCell", points=4, hint="c = sigmoid(f) * c + sigmoid(i) * tanh(g); h = sigmoid(o) * tanh(c)")
def test_cell_equations(lab, seed, look):
    """the new memory and the new hidden state, number by number"""
    net = made_cell(lab, seed)
    h, c = partial(gated, net, "h"), partial(gated, net, "c")
    rows = [inputs(seed), inputs(seed + 3, 3, 4, 7), inputs(seed + 6, 1, 1, 2)]
    mistakes = {
        "the order of the four parts is i, f, g, o. You take f, i, g, o": partial(c, order="figo"),
        "the order of the four parts is i, f, g, o. You take i, f, o, g": partial(c, order="ifog"),
        "the convolution reads [h, x]. The input comes first: [x, h]": partial(c, flip=True),
        "g goes through a sigmoid, so the memory could only grow. It is tanh(g)": partial(c, candidate=torch.sigmoid),
        "the forget gate f is not used": partial(c, forget=torch.ones_like),
        "h and c are returned in the wrong order: return h, c": h,
    }
    answers = cell.table(net, rows, c, mistakes, part="c", because="it is c' = sigmoid(f) c + sigmoid(i) tanh(g)")
    look(target=c(*rows[0]).flatten().detach(), yours=answers[0].value.flatten().detach())
    cell.table(net, rows, h, part="h", because="with c' right, it is h' = sigmoid(o) tanh(c')")
    for kernel_size in (1, 5):
        net = made_cell(lab, seed, kernel_size)
        cell.table(net, rows, partial(gated, net, "c"), part="c", because=f"the kernel size is {kernel_size} here")


@exercise("ConvLSTMCell", points=2, hint="zeros = x.new_zeros(…); nothing is kept on self, nothing changed in place.")
def test_cell_has_no_past_of_its_own(lab, seed):
    """without a state it begins with zeros; the same input and state always give the same; samples do not mix"""
    net = made_cell(lab, seed)
    for k, size in enumerate(((2, 5, 6), (1, 4, 9), (3, 1, 2))):
        x, (h, c) = inputs(seed + k, *size)
        zeros = torch.zeros_like(h)
        want = cell(net, x, (zeros, zeros))
        for before in ((), ((h, c),), (None,)):
            cell(net, x.flip(-1), *before)
            for got, zero in zip(cell(net, x), want):
                got.near(zero.value, because="without a state it begins with zeros for h and c, whatever came before")
    net, (x, state) = made_cell(lab, seed), inputs(seed, 3)
    whole = theorems.owes(cell, net, x, state, other=inputs(seed + 5, 1), batch_of_one=False)
    for b in range(3):
        for alone, together in zip(cell(net, x[b : b + 1], tuple(v[b : b + 1] for v in state)), whole):
            alone.near(together.value[b : b + 1], because=f"sample {b} gives another answer among others: they mix")


@exercise("ConvLSTMCell", points=2, hint="No .detach(), no .data; x.new_zeros(…) has the dtype and the device of x.")
def test_cell_lets_gradients_through(lab, seed):
    """gradients reach the input, the state before and every weight; in half and double precision, on any device"""
    for dtype, device in ((torch.float64, "cpu"), (torch.float16, "meta")):  # meta knows shapes and dtypes, no numbers
        net = made_cell(lab, seed).to(device, dtype)
        x, state = inputs(seed)
        x, state = x.to(device, dtype), tuple(value.to(device, dtype) for value in state)
        cell(net, x, state)
        cell(net, x)
    net, (x, (h, c)) = made_cell(lab, seed).double(), inputs(seed)
    theorems.gradient_is_whole("cell(x, (h, c))", lambda x, h, c: [got.value for got in cell(net, x, (h, c))],
                               {"x": x, "h": h, "c": c})  # fmt: skip
    theorems.gradient_is_whole("cell(x)", lambda x: [got.value for got in cell(net, x)], {"x": x})
    shown = cell(net, x.double(), (h.double(), c.double()))["h"]
    theorems.learns(shown.said, shown.value, dict(net.named_parameters()))


sampled = Call("scheduled_sampling", gives=tensor("b c h w", "same"), fresh=True,
               takes={"truth": "b c h w", "predicted": "b c h w", "probability": "b", "coins": "b"})  # fmt: skip


def chosen(truth, predicted, probability, coins):
    """Oracle: sample after sample."""
    limits = torch.as_tensor(probability).expand(len(coins)).tolist()
    return torch.stack([t if coin < p else q for t, q, p, coin in zip(truth, predicted, limits, coins.tolist())])


def frames(seed, *size):
    """Frames of the truth, and of a prediction."""
    return values.noise(seed, *size), values.noise(seed + 1, *size)


COINS = torch.tensor([0.7, 0.1, 0.45, 0.3])


@exercise("scheduled_sampling", points=3, hint="chosen = coins < probability, one for each sample; then torch.where.")
def test_sampling_is_one_coin_per_sample(lab, seed, look):
    """each sample is whole from one of the two: the truth where its coin is below the probability"""
    truth, predicted = frames(seed, 4, 3, 5, 7)
    mistakes = {
        "truth and prediction are mixed to a ghost. Take one, whole": lambda t, q, p, u: p * t + (1 - p) * q,
        "it is the wrong way round: below the probability the truth is read": lambda t, q, p, u: chosen(q, t, p, u),
        "that is the truth, whatever the coins": lambda t, q, p, u: t,
        "that is the prediction, whatever the coins": lambda t, q, p, u: q,
    }
    rows = [(truth, predicted, p, COINS) for p in (0.4, 0.2, 0.5)]
    look(target=chosen(*rows[0]).transpose(0, 1), yours=sampled(lab, *rows[0]).value.transpose(0, 1))
    because = "the coins are [0.7, 0.1, 0.45, 0.3], and the truth is read where a coin is below the probability"
    theorems.leaves_random_numbers_alone("scheduled_sampling", sampled, lab, *rows[0])
    sampled.table(lab, rows, chosen, mistakes, because=because, tolerance=0)


@exercise("scheduled_sampling", points=3, hint="coins < probability works for one number and for one per sample alike.")
def test_sampling_by_a_probability_for_each_sample(lab, seed):
    """a probability for each sample, `(B,)`, whatever B is; with 0 never the truth, with 1 always, strictly below"""
    odds = torch.tensor([0.9, 0.1, 0.8, 0.2, 0.7])
    because = "coins and probabilities are one per sample: line them up with the batch, not with the columns"
    sizes = ((3, 2, 4, 5), (5, 2, 4, 5), (4, 4, 4, 4), (1, 2, 3, 4), (2, 1, 2, 3))
    rows = [(*frames(seed, *size), odds[: size[0]], torch.full((size[0],), 0.5)) for size in sizes]
    sampled.table(lab, rows, chosen, because=because, tolerance=0)
    theorems.owes(sampled, lab, *frames(seed, 4, 2, 3, 5), odds[:4], COINS, dtypes=(torch.float64,))
    truth, predicted = frames(seed, 3, 1, 4, 5)
    coins = torch.tensor([0.0, 0.5, 0.99999])
    because = "coins lie in [0, 1), and the truth is read where a coin is below the probability, not where it is equal"
    for probability in (0.0, 1.0, 0, 1, 0.5, torch.tensor([0.0, 0.5, 1.0])):
        want = chosen(truth, predicted, probability, coins)
        sampled(lab, truth, predicted, probability, coins).equal(want, because=because)


@exercise("scheduled_sampling", points=2, hint="No .detach(); if coins.shape != truth.shape[:1]: raise ValueError(...)")
def test_sampling_owes(lab, seed):
    """gradients pass to the prediction where it is read; frames of two shapes, or other coins, are a ValueError"""
    truth, predicted = frames(seed, 4, 2, 4, 5)
    answer = sampled(lab, truth, predicted.requires_grad_(), 0.35, COINS)
    assert answer.value.requires_grad, f"{answer.said} carries no gradient: the prediction is detached"
    (pull,) = torch.autograd.grad(answer.value.sum(), answer.given["predicted"])
    read = (answer.value.detach() == predicted.detach()).flatten(1).all(dim=1)
    want = read[:, None, None, None].expand_as(pull).float()
    assert torch.equal(pull, want), f"{answer.said}: gradients should reach the prediction where it is read, in full"
    clip = torch.zeros(2, 3, 4, 5)
    for truth, predicted in ((clip, clip[..., :4]), (clip, clip[:, :1]), (clip[:1], clip), (clip[:, :, :1], clip)):
        sampled.refuses(lab, truth, predicted, 0.5, torch.full((len(truth),), 0.3))
    for size in ((3,), (1,), (2, 4), (2, 1), (2, 1, 1, 1), ()):
        sampled.refuses(lab, clip, clip, 0.5, torch.full(size, 0.3))


predict = Call("predictor", takes={"past": "b c t h w"}, gives=record("object", sample=tensor("b c future h w"),
               logits=tensor("b c expected h w")), parameters=("past", "num_future", "truth", "probability", "coins"),
               sizes=lambda given: {"future": given["num_future"],
                                    "expected": given["past"].shape[2] - 1 + given["num_future"]})  # fmt: skip
pixels = lambda logits: 2 * torch.sigmoid(logits) - 1  # noqa: E731
parts = ("ConvLSTMCell", "scheduled_sampling")


def made_predictor(lab, seed):
    """The learner's predictor, small, with random weights, so that every frame and every state matters."""
    torch.manual_seed(seed)
    sizes = {"in_channels": 2, "fine_channels": 5, "coarse_channels": 7, "feedback_channels": 3}
    model = attempt("ConvLSTMPredictor(in_channels=2, …)", lab.ConvLSTMPredictor, **sizes)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
        model.patches_out.weight.mul_(5)  # some pixels are nearly black, some nearly white
    return model.eval()


def unrolled(model, past, num_future, truth=None, read=None, feed=pixels, forget=()):
    """Oracle: the logits `(B, C, T - 1 + num_future, H, W)` over the learner's own `step`; and ways to do it wrong.

    `read` `(B, num_future - 1)`: where the truth is read. `feed`: logits to what is read. `forget`: where the state is
    lost, of "past", "hand-over".
    """
    state, logits = None, []
    for frame in past.unbind(2):
        expected, state = model.step(frame, None if "past" in forget else state)
        logits.append(expected)
    state = None if "hand-over" in forget else state
    for k in range(num_future - 1):
        frame = feed(expected)
        if truth is not None:
            frame = torch.where(read[:, k].reshape(-1, 1, 1, 1), truth[:, :, k], frame)
        expected, state = model.step(frame, state)
        logits.append(expected)
    return torch.stack(logits, dim=2)


def wrong(model, mistakes, *args, **given):
    """Message to the logits that each mistake gives, computed when they are asked for."""
    return {m: lambda o=options: unrolled(model, *args, **given | o) for m, options in mistakes.items()}


@exercise("ConvLSTMPredictor", points=5, needs=parts, hint="expected, state = self.step(as_pixels(expected), state)")
@torch.no_grad()
def test_predictor_expects(lab, seed):
    """the encoder expects after each frame that it reads; the forecaster goes on from there, on its own predictions"""
    model, past = made_predictor(lab, seed), values.uniform(seed, 2, 2, 4, 16, 24)
    mistakes = {
        "the encoder forgets: each frame is read without the state of the one before": {"forget": ("past",)},
        "the forecaster reads brightness from 0 to 1. It needs pixels: as_pixels(expected)": {"feed": torch.sigmoid},
        "the forecaster begins without the encoder's state": {"forget": ("hand-over",)},
    }
    because = "each step reads as_pixels of the expectation before, with the state handed on"
    for num_future in (1, 4, 2):
        want, made = unrolled(model, past, num_future), wrong(model, mistakes, past, num_future)
        predict(model, past, num_future)["logits"].near(want, made, tolerance=1e-4, because=because)
    theorems.owes(predict, model, past, other=(past[:1, :, :2],), num_future=2, tolerance=1e-4)


@exercise("ConvLSTMPredictor", points=1, needs=parts, hint="sample=as_pixels(logits[:, :, -num_future:])")
@torch.no_grad()
def test_predictor_gives_the_future(lab, seed, look):
    """`.sample` is the future alone, as pixels in [-1, 1]; a past of one frame and a future of one will do"""
    model = made_predictor(lab, seed)
    for num_past, num_future in ((3, 4), (4, 3), (1, 3), (5, 1), (1, 1)):
        sample, logits = predict(model, values.uniform(seed + num_past, 2, 2, num_past, 16, 24), num_future)
        future = logits.value[:, :, -num_future:]
        mistakes = {
            "these are logits. Make pixels of them: as_pixels": future,
            "that is brightness from 0 to 1. as_pixels gives [-1, 1]": torch.sigmoid(future),
        }
        look(target=pixels(future[0, :1]), yours=sample.value[0, :1])
        sample.near(pixels(future), mistakes, because=f"it is the last {num_future} expectations as pixels")


@exercise("ConvLSTMPredictor", points=3, needs=parts, hint="scheduled_sampling(truth[:, :, k], …, coins[:, k])")
@torch.no_grad()
def test_predictor_reads_the_truth_by_the_coins(lab, seed):
    """with the truth given, each sample reads it at the steps where its coin says so, and the right frame of it"""
    model, past = made_predictor(lab, seed), values.uniform(seed, 3, 2, 3, 16, 24)
    truth, u = values.uniform(seed + 1, 3, 2, 5, 16, 24), values.uniform(seed + 2, 3, 4, low=0, high=1)
    u[:, 0], u[:, 1] = torch.tensor([0.2, 0.7, 0.6]), torch.tensor([0.9, 0.3, 0.52])
    mistakes = {
        "the truth is never read": {"truth": None},
        "the truth is read at every step, whatever the coins": {"read": u < 2},
        "one coin decides for all steps. Step k has its own, coins[:, k]": {"read": (u < 0.45)[:, :1].expand(-1, 4)},
    }
    because = "step k reads scheduled_sampling(truth[:, :, k], as_pixels(expected), probability, coins[:, k])"
    given = {"truth": truth, "read": u < 0.45}
    sample, logits = predict(model, past, 5, truth, 0.45, u)
    sample.near(pixels(logits.value[:, :, -5:]), because="the sample is what was predicted, with the truth given too")
    logits.near(unrolled(model, past, 5, **given), wrong(model, mistakes, past, 5, **given), tolerance=1e-4,
                because=because)  # fmt: skip
    for odds in (torch.tensor([0.9, 0.1, 0.5]), 1.0, 0.0, torch.ones(3)):
        limits = torch.as_tensor(odds).expand(3)[:, None]
        want = unrolled(model, past, 5, truth, u < limits)
        predict(model, past, 5, truth, odds, u)["logits"].near(want, tolerance=1e-4, because=because)
    want = unrolled(model, past, 1)
    predict(model, past, 1, truth[:, :, :1], 0.5, u[:, :0])["logits"].near(want, tolerance=1e-4)


@exercise("ConvLSTMPredictor", points=1, needs=parts, hint="No .detach(), no torch.no_grad().")
def test_predictor_lets_gradients_through(lab, seed):
    """the last prediction can be blamed on the first frame, and on predictions that misled it"""
    model, past = made_predictor(lab, seed).double(), values.uniform(seed, 1, 2, 2, 8, 8)
    said = "predictor(past, 3)"
    theorems.gradient_is_whole(said, lambda past: [got.value for got in predict(model, past, 3)], {"past": past})
    logits = predict(model, past.double(), 3)["logits"]
    theorems.learns(said, logits.value, dict(model.named_parameters()))


loss = Call("prediction_loss", takes={"logits": "b c t h w", "target": "b c t h w"}, gives=tensor("", torch.float32))


def surprise(z, x):
    """The cross-entropy of logits and brightness, in double precision, pixel by pixel."""
    z, x = z.double(), x.double()
    return -x * F.logsigmoid(z) - (1 - x) * F.logsigmoid(-z)


def nats(logits, target):
    """Oracle: the definition."""
    return surprise(logits, (target + 1) / 2).mean()


@exercise("prediction_loss", points=3, hint="x = (target + 1) / 2; (F.softplus(z) - x * z).mean()")
def test_loss_is_the_cross_entropy(lab, seed, look):
    """grey, black and white targets, against the definition"""
    mistakes = {
        "that is a sum over the pixels. The mean is asked for": lambda z, y: surprise(z, (y + 1) / 2).sum(),
        "the target is used as it is. Its brightness is (target + 1) / 2": lambda z, y: surprise(z, y).mean(),
        "black and white are swapped": lambda z, y: nats(z, -y),
        "the target's own entropy is taken off, as in a divergence": (
            lambda z, y: nats(z, y) - (torch.special.entr((y + 1) / 2) + torch.special.entr((1 - y) / 2)).mean()
        ),
    }
    z, target = values.noise(seed, 2, 1, 3, 4, 5, scale=3), values.uniform(seed + 1, 2, 1, 3, 4, 5)
    target[0, :, 0], target[1, :, 1] = 1.0, -1.0
    sure = torch.linspace(-4, 4, 17)
    white = [float(loss(lab, one.reshape(1, 1, 1, 1, 1), torch.ones(1, 1, 1, 1, 1)).value) for one in sure]
    look(target=surprise(sure, torch.ones(17)), yours=torch.tensor(white))
    rows = [(z, target), (values.noise(seed + 2, 3, 2, 1, 2, 4), values.uniform(seed + 3, 3, 2, 1, 2, 4))]
    loss.table(lab, rows, nats, mistakes, because="it is the mean of -x log p - (1 - x) log(1 - p), p = sigmoid(z)")


@exercise("prediction_loss", points=2, hint="Never log(sigmoid(z)), never log(1 + exp(z)): F.softplus(z) - x z.")
def test_loss_of_one_who_is_sure(lab):
    """logits of 200, right and wrong: the loss is finite and exact, and so is its gradient"""
    z = torch.tensor([200.0, -200.0, 200.0, -200.0, 0.4, 90.0]).reshape(1, 1, 1, 2, 3).requires_grad_()
    target = torch.tensor([1.0, -1.0, -1.0, 1.0, 1.0, -1.0]).reshape(1, 1, 1, 2, 3)
    answer = replace(loss, gives=tensor("", torch.float32, finite=False))(lab, z, target)
    said = "prediction_loss with logits from -200 to 200"
    assert torch.isfinite(answer.value), f"{said} is {float(answer)}: the logarithm of 0 was taken, or exp(200)"
    mild = z.detach() / 100, target  # where these are right, it is the size of the logits
    right = values.same(loss(lab, *mild).value, nats(*mild))
    answer.near(nats(z.detach(), target), because="is something clamped, or an epsilon added?" if right else "")
    answer.gradients({"logits": (torch.sigmoid(z.detach()) - (target + 1) / 2) / 6})


@exercise("prediction_loss", points=2, hint="logits.float(), target.float(); ValueError if the shapes differ")
def test_loss_owes(lab, seed):
    """computed and returned in float32 from every dtype; unequal shapes are a ValueError, also where they broadcast"""
    z, target = values.noise(seed, 2, 1, 3, 8, 8, scale=3), values.uniform(seed + 1, 2, 1, 3, 8, 8)
    for dtype in (torch.float16, torch.bfloat16):
        theorems.computes_in_float32(loss, lab, z, target, truth=nats, dtype=dtype)
    theorems.owes(loss, lab, z, target, truth=nats, dtypes=(torch.float64,))
    clip = torch.zeros(2, 1, 3, 4, 5)
    for other in (clip[:, :, :1], clip[:1], clip[0], clip[..., :1], clip[:, :, :2], clip.transpose(1, 2)):
        loss.refuses(lab, clip, other)
        loss.refuses(lab, other, clip)


def gliding(seed, count):
    return gliding_bars(count, generator=torch.Generator().manual_seed(seed))


def forecast_error(lab, seed, steps=30):
    """Train the learner's parts on the gliding bar for a moment; the error of predicted frames, per pixel."""
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


@exercise("prediction_loss", points=2, hint="Does the state reach the forecaster, and the loss the weights?",
          needs=("ConvLSTMCell", "scheduled_sampling", "ConvLSTMPredictor", "error_per_frame"))  # fmt: skip
def test_the_parts_learn_which_way(lab):
    """all parts together, trained for a moment, predict which way a bar glides: only a memory can"""
    found = attempt("a short training run with your parts", forecast_error, lab, seed=0)
    outcomes.load(__file__)["learns_which_way"].judge("a short training run with your parts", found)
