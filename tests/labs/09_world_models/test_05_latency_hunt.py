"""Grader of lab 09.5. Oracles are loops in double precision and fractions; clocks and tasks are made of numbers."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from common.course.graders import Call, array, attempt, fast_worlds, record, tensor, theorems, worlds
from common.course.graders.fast_worlds import Estimate, Machine, Pair, Part, Waiting, jumped, nets, started
from common.course.graders.values import noise, uniform

exercise = pytest.mark.exercise
TWO_PIXELS = 2 / 127.5 + 1e-3  # a value between two pixels may be rounded to either side


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


latency = Call("measure_latency", takes={"wall": "n m", "cpu": "n m"}, gives=array("n 3"),
               parameters=("wall", "cpu", "rounds", "warm_up"))  # fmt: skip


def latencies(wall, cpu, rounds=30, warm_up=3, *, skip=True, unit=1000, typical="median", top="linear", swap=False,
              cpu_mean=False):  # fmt: skip
    """Oracle: sorted lists; and ways to do it wrong."""
    rows = []
    for pair in zip(wall, cpu):
        one, other = (sorted(row[warm_up if skip else 0 : warm_up + rounds].double().tolist()) for row in pair)
        one, other = (other, one) if swap else (one, other)
        middle = [(x[(len(x) - 1) // 2] + x[len(x) // 2]) / 2 for x in (one, other)]
        place, mean = 0.95 * (len(one) - 1), [sum(x) / len(x) for x in (one, other)]
        between = one[int(place)] + place % 1 * (one[min(int(place) + 1, len(one) - 1)] - one[int(place)])
        p95 = {"linear": between, "slowest": one[-1], "nearest": one[math.ceil(0.95 * len(one)) - 1]}[top]
        usual = {"median": middle[0], "mean": mean[0], "best": one[0]}[typical]
        rows.append([unit * usual, unit * p95, unit * (mean if cpu_mean else middle)[1]])
    return np.array(rows)


@exercise("measure_latency", points=4, hint="statistics.median and np.quantile(…, 0.95) of 1000 * (ended - began)")
def test_latency(lab, seed, look):
    """median and 95th percentile by the wall clock, median by the processor's, in milliseconds, warm-up left out"""
    rows = []
    for k, (tasks, rounds, warm_up) in enumerate(((2, 30, 3), (3, 7, 2), (1, 12, 0), (2, 1, 4), (2, 40, 1))):
        wall = uniform(seed + k, tasks, rounds + warm_up, low=0.01, high=0.03)
        wall[:, :warm_up] += 0.4
        wall[:, -1] += 0.09
        cpu = uniform(seed + 9 + k, tasks, rounds + warm_up, low=0.005, high=0.009)
        cpu[:, :warm_up] += 0.2
        rows.append((wall, cpu) if k == 0 else (wall, cpu, rounds, warm_up))
    answers = latency.table(fast_worlds.timed(lab.measure_latency), rows, latencies, ways(latencies, {
        "the calls of the warm-up are counted, too": {"skip": False},
        "these are seconds. Milliseconds are asked for": {"unit": 1},
        "`median` is the mean: one slow call spoils it": {"typical": "mean"},
        "`median` is the fastest call": {"typical": "best"},
        "`p95` is the slowest call": {"top": "slowest"},
        "`p95` is one of the times. Between the two nearest it is linear, as in np.quantile": {"top": "nearest"},
        "the two clocks are mixed up": {"swap": True},
        "`cpu` is a mean. It is a median": {"cpu_mean": True},
    }), because="median and p95 are those of the wall clock, cpu is the median of the processor's")  # fmt: skip
    look(target=latencies(*rows[1]), yours=answers[1].value, about="median, p95 and cpu of three tasks")


@exercise("measure_latency", points=3, hint="for each round: for each task: both clocks, task(), both clocks")
def test_order(lab, seed):
    """rounds that are interleaved; clocks are read right around each call that counts, and never in the warm-up"""
    for rounds, warm_up, count in ((3, 2, 3), (2, 0, 2), (4, 1, 1)):
        machine = Machine()
        tasks = machine.tasks([[0.1]] * count, [[0.1]] * count)
        options = {"rounds": rounds, "warm_up": warm_up}
        attempt(f"measure_latency(tasks, **{options})", lab.measure_latency, tasks, **options, **machine.clocks())
        log = [name for name, _ in machine.log]
        order, due = [name for name in log if name in tasks], [*tasks] * (warm_up + rounds)
        words = f"with {options} the tasks should be called in the order {due}, not {order}"
        assert order == due, f"{words}. Every round calls each task once"
        assert log[: count * warm_up] == due[: count * warm_up], f"with {options} a clock is read in the warm-up"
        counted = log[count * warm_up :]
        for piece in (counted[k : k + 5] for k in range(0, len(counted), 5)):
            right = len(piece) == 5 and {*piece[:2]} == {*piece[3:]} == {"wall", "cpu"} and piece[2] in tasks
            words = f"with {options} clocks and tasks come as {piece}"
            assert right, f"{words}. Read both clocks once right before a call and once right after it"


@exercise("measure_latency", points=2, hint="try: … finally: torch.set_num_threads(before)")
def test_threads(lab, seed):
    """the number of threads meanwhile, and afterwards, also if a task raises; numbers that are too small are refused"""
    before, measure = torch.get_num_threads(), lab.measure_latency
    for num_threads, fails in ((before + 1, -1), (1, -1), (None, -1), (before + 2, 0), (before + 1, 3)):
        machine, error = Machine(), None
        tasks = machine.tasks([[0.1], [0.2]], [[0.1], [0.2]], fails)
        given = {} if num_threads is None else {"num_threads": num_threads}
        try:
            measure(tasks, rounds=4, warm_up=2, **given, **machine.clocks())
        except KeyError as raised:
            error = raised
        now = torch.get_num_threads()
        torch.set_num_threads(before)
        seen = {threads for name, threads in machine.log if name in tasks}
        words = f"with num_threads={num_threads or 'its default, 1'} the tasks run with {sorted(seen)} threads"
        assert seen == {num_threads or 1}, words
        assert (error is None) == (fails < 0), "a task's error should be passed on"
        words = f"afterwards torch uses {now} threads, and it was {before}"
        assert now == before, words + (". A task has raised: set them back in `finally`" if error else "")
    refuse = Call("measure_latency", parameters=("rounds", "warm_up", "num_threads"))
    for wrong in ({"rounds": 0}, {"warm_up": -1}, {"num_threads": 0}, {"rounds": -2}):
        machine = Machine()
        refuse.refuses(Waiting(measure, machine.tasks([[0.1]], [[0.1]])), **wrong)
        assert not machine.log, f"with {wrong} a task is called before the ValueError"


fold = Call("fold_film", takes={"gamma": "c", "beta": "c", "matrix": "m d", "bias": "m"},
            gives=record("tuple", weight=tensor("m d"), bias=tensor("m")),
            parameters=("gamma", "beta", "matrix", "bias", "groups"))  # fmt: skip


def affine(gamma, beta, matrix, bias, groups, *, one=1.0, offset=True, order=1, shifted=False, bare=False):
    """Oracle: gain and offset at the signal 0 and at each unit signal; and ways to do it wrong."""
    gamma, beta, matrix, bias = (x.double() for x in (gamma, beta, matrix, bias))
    columns, width = [], matrix.shape[1]
    for signal in (torch.zeros(width).double(), *torch.eye(width).double()):
        scale, shift = (matrix @ signal + bias).split(len(gamma))
        gain = (1 if bare else gamma) * (one + scale)
        moved = (beta * (one + scale) if offset else beta) + (gamma * shift if shifted else shift)
        columns.append(torch.cat([gain, moved][::order]))
    return torch.stack(columns[1:], dim=1) - columns[0][:, None], columns[0]


@exercise("fold_film", points=5, hint="gain = γ (1 + scale), offset = β (1 + scale) + shift; both are affine in c")
def test_fold(lab, seed, look):
    """one new linear layer: first the gains γ (1 + scale), then the offsets β (1 + scale) + shift"""
    rows = []
    for k, (channels, width, groups) in enumerate(((6, 5, 2), (8, 3, 4), (3, 7, 1), (12, 4, 3))):
        sizes = ((channels,), (channels,), (2 * channels, width), (2 * channels,))
        rows.append((*(noise(seed + 10 * k + n, *size) for n, size in enumerate(sizes)), groups))
    for place, name in enumerate(("weight", "bias")):
        truth = Part(affine, place)
        answers = fold.table(fast_worlds.folded(lab.fold_film), rows, truth, ways(truth, {
            "the 1 of 1 + scale is missing": {"one": 0.0},
            "β is not scaled: FiLM scales what the norm gives, and β is a part of it": {"offset": False},
            "γ is missing: the plain normalization has no weight of its own": {"bare": True},
            "the shift is multiplied by γ. It comes after the norm": {"shifted": True},
            "the offsets come first. The gains do": {"order": -1},
        }), part=name, because="at every signal c it gives γ (1 + scale) and β (1 + scale) + shift")  # fmt: skip
        if name == "weight":
            look(target=truth(*rows[0]).float(), yours=answers[0].value, about="the folded layer's weights")


@exercise("fold_film", points=2, hint="nn.Linear(D, 2 * C, device=film.weight.device, dtype=film.weight.dtype)")
def test_fold_is_equal(lab, seed):
    """in place of norm and FiLM it gives the same numbers, in the dtype of `film`"""
    cases, low = ((torch.float64, 1e-6), (torch.float32, 1e-4), (torch.bfloat16, 0.05)), torch.float32
    for (dtype, tolerance), beside in itertools.product(cases, (None, low)):
        kinds, sizes = (beside or dtype, beside or dtype, dtype, dtype), ((6,), (6,), (12, 5), (12,))
        drawn = [noise(seed + n, *size, scale=0.5).to(kind) for n, (size, kind) in enumerate(zip(sizes, kinds))]
        norm, film = fast_worlds.film_of(*drawn, 3)
        layer = attempt("fold_film(norm, film)", lab.fold_film, norm, film)
        assert layer.weight.dtype == layer.bias.dtype == dtype, f"with a film in {dtype} it is in {layer.weight.dtype}"
        with torch.no_grad():
            signal, x = noise(seed + 5, 1, 5).double(), noise(seed + 6, 1, 6, 3, 4).double()
            scale, shift = film.double()(signal)[..., None, None].chunk(2, dim=1)
            due = norm.double()(x) * (1 + scale) + shift
            got = nn.functional.group_norm(x, norm.num_groups, *layer.double()(signal)[0].chunk(2), norm.eps)
        off = float((got - due).abs().max() / (1 + due.abs().max()))
        assert off < tolerance, f"in {dtype} norm and FiLM give other numbers than it does: by {off:.3g} of the largest"


def distance(student, target, teacher, x, sigmas, huber=0.05, *, kind="huber", ask=True, start=False, told=-1,
             own=0, batch=False):  # fmt: skip
    """Oracle of the loss; and ways to do it wrong."""
    there, sigmas = x.double() if start else jumped(teacher, x, sigmas), sigmas.double()
    if ask == "always" or (sigmas[-1] > 0 and ask):
        there = target.plain(there, sigmas[told])
    d = (student.plain(x, sigmas[own]) - there).detach().flatten(1)
    root = (d**2 + huber**2).sqrt()
    found = {
        "huber": (root - huber).mean(dim=1),
        "root": root.mean(dim=1),
        "squares": (d**2).mean(dim=1),
        "whole": ((d**2).sum(dim=1) + huber**2).sqrt() - huber,
        "sum": (root - huber).sum(dim=1),
    }[kind]
    return found.mean().expand(len(x)) if batch else found


loss = Call("consistency_loss", takes={"x": "b ...", "sigmas": "m"}, gives=tensor("b", torch.float32),
            parameters=("student", "target", "teacher", "x", "sigmas", "huber"))  # fmt: skip


@exercise("consistency_loss", points=5, hint="sqrt(d² + huber²) - huber, then the mean over each sample")
def test_loss(lab, seed, look):
    """pseudo-Huber distance of the student at x to the target where the teacher comes to; at level 0 to that place"""
    rows = [(*nets(), *pair, *more) for pair, more in zip(started(seed), ((), (0.3,), (0.01,), (1.0,), (0.1,)))]
    answers = loss.table(lab, rows, distance, ways(distance, {
        "the distance is squared. It is pseudo-Huber": {"kind": "squares"},
        "`huber` is not subtracted: two equal estimates have distance 0": {"kind": "root"},
        "the root is taken of a whole sample's squares. It is taken number by number": {"kind": "whole"},
        "it is a sum over the sample. The mean is asked for": {"kind": "sum"},
        "the target is not asked where the last level is above 0": {"ask": False},
        "the target is asked at level 0, too. A sample is its own x0 there": {"ask": "always"},
        "the target is asked at x. Ask it where the teacher comes to": {"start": True},
        "the target is told the first level. The place is at the last one": {"told": 0},
        "all samples have the same loss. Give one per sample": {"batch": True},
    }), because="see the docstring's definition")  # fmt: skip
    look(target=distance(*rows[0]).float(), yours=answers[0].value, about="the loss of three samples")
    theorems.owes(loss, lab, *rows[1], other=rows[2])
    for row in rows:
        student, target, teacher = nets()
        attempt("consistency_loss(…)", lab.consistency_loss, student, target, teacher, *row[3:])
        asked, last = len(target.sigmas), float(row[4][-1])
        words = f"with the last level {last:.3g} the target is asked {asked} times"
        assert asked == (last > 0), f"{words}. It is asked once, and at level 0 never: a sample is its own x0 there"
        steps = len(teacher.sigmas), len(row[4]) - 1
        assert steps[0] == steps[1], f"with {steps[1] + 1} levels the teacher is asked {steps[0]} times"


@exercise("consistency_loss", points=3, hint="the target under torch.no_grad(), the student not")
def test_loss_gradient(lab, seed):
    """the gradient reaches the student, through its own estimate alone, also where it is its own target"""
    for (x, sigmas), shared in itertools.product(started(seed)[:3], (False, True)):
        student, target, teacher = nets()
        target = student if shared else target
        found = attempt("consistency_loss(…)", lab.consistency_loss, student, target, teacher, x, sigmas)
        assert found.requires_grad, "the loss carries no gradient: the student never learns"
        found.sum().backward()
        there = jumped(teacher, x, sigmas)
        there = target.plain(there, sigmas[-1].double()).detach() if sigmas[-1] > 0 else there
        twin = Estimate(0.6, 0.3)
        d = (twin.plain(x, sigmas[0].double()) - there).flatten(1)
        ((d**2 + 0.05**2).sqrt() - 0.05).mean(dim=1).sum().backward()
        for name, net in (("target", target), ("teacher", teacher)):
            still = net is student or net.gain.grad is None or not net.gain.grad.any()
            assert still, f"a gradient reaches the {name}. Only the student learns"
        words = "a gradient goes through the target" if shared else "the student's gradient is not that of the distance"
        for mine, due in ((student.gain.grad, twin.gain.grad), (student.shift.grad, twin.shift.grad)):
            assert mine is not None and (mine - due).abs() < 1e-4 * (1 + due.abs()), words


def own_past(model, clip, actions, eps, chosen, *, lag=0, frozen=False, all_own=False, real=False, front=False,
             same=False, first=False):  # fmt: skip
    """Oracle: sample by sample and frame by frame; and ways to do it wrong."""
    k, rows, sigma = model.config.context, [], model.config.sigma_max
    for b in range(len(clip)):
        past, made = clip[b : b + 1, :, :k].double(), []
        for n in range(k):
            start = 0 if first else min(max(0, n + lag), actions.shape[1] - k)
            keys, level = actions[b : b + 1, start : start + k], torch.zeros(1).double()
            x = sigma * eps[b : b + 1, :, 0 if same else n].double()
            made.append(worlds.quantized(worlds.denoised(model, x, sigma, past, keys, level)))
            newest = clip[b : b + 1, :, k + n].double() if real else made[-1]
            past = past if frozen else torch.cat([past[:, :, 1:], newest[:, :, None]], dim=2)
        own = torch.stack(made[::-1] if front else made, dim=2)[0]
        rows.append(own if chosen[b] or all_own else clip[b, :, k:].double())
    return torch.stack(rows)


roll = Call("self_rollout", takes={"clip": "b c m h w", "actions": "b j", "eps": "b c k h w", "chosen": "b"},
            parameters=("model", "clip", "actions", "eps", "chosen"), fresh=True,
            gives=tensor("b c k h w", torch.float32))  # fmt: skip


@exercise("self_rollout", points=5, hint="sample_next(model, past, actions[:, k : k + K], 1, eps=eps[:, :, k]); push")
def test_self_rollout(lab, seed, look):
    """K frames from K real ones, each from the K before it, in the chosen samples; real frames in the others"""
    sizes, chosen = ((3, 2, 4, 5, 6), (2, 3, 2, 4, 7), (4, 1, 3, 6, 2)), ([1, 0, 1], [1, 1], [0, 1, 0, 0])
    rows = [fast_worlds.begun(seed + k, *size, map(bool, who)) for k, (size, who) in enumerate(zip(sizes, chosen))]
    answers = roll.table(lab, rows, own_past, ways(own_past, {
        "every frame is made from the same past. Push each frame into it": {"frozen": True},
        "the real frames are pushed into the past. It is the model's own": {"real": True},
        "every frame gets the first K actions": {"first": True},
        "the actions are one too late: frame K + k is made with actions k to k + K - 1": {"lag": 1},
        "every frame is made from the same noise": {"same": True},
        "the frames come newest first": {"front": True},
        "all samples get a past of the model's own. Only the chosen ones do": {"all_own": True},
    }), tolerance=2 * TWO_PIXELS, because="each frame is made from the K frames before it")  # fmt: skip
    look(target=own_past(*rows[0])[0, 0, :, 0].float(), yours=answers[0].value[0, 0, :, 0], about="a row, over time")


@exercise("self_rollout", points=3, hint="clip[chosen], and a loop that does not run where that is empty")
def test_self_rollout_owes(lab, seed):
    """only the chosen samples are seen by the model, each once per frame; none chosen is no call; no gradient"""
    world, *given = fast_worlds.begun(seed, 4, 2, 3, 4, 5, [True, False, True, False])
    attempt("self_rollout(…)", lab.self_rollout, world, *given)
    seen = sum(len(past) for _, past, _ in world.calls)  # in batches of any size
    assert seen == 2 * 3, f"with 2 of 4 samples chosen and K = 3 the model sees {seen} samples, all calls together"
    assert all(not told.any() for *_, told in world.calls), "there is noise on the past. The docstring says none"
    world, *given = fast_worlds.begun(seed + 1, 3, 2, 3, 4, 5, [False, False, False])
    roll(lab, world, *given).equal(given[0][:, :, 3:], because="no sample is chosen")
    assert not len(world.calls), "no sample is chosen, and the model is called"
    theorems.owes(roll, lab, *fast_worlds.begun(seed, 3, 2, 2, 4, 5, [True, False, True]), tolerance=2 * TWO_PIXELS,
                  batch_of_one=False, other=fast_worlds.begun(seed + 3, 2, 3, 2, 5, 4, [True, False]))  # fmt: skip
    world, *given = fast_worlds.begun(seed + 2, 2, 2, 2, 4, 5, [True, True])
    world.gain = nn.Parameter(world.gain.detach().clone())
    found = attempt("self_rollout(…)", lab.self_rollout, world, *given)
    assert not found.requires_grad, "self_rollout(…) records a gradient"


def paced(compute, transport, refresh_rate=60.0, *, free=False, way=True, floor=False, hidden=False, rates=False,
          alone=False):  # fmt: skip
    """Oracle in fractions: periods of every frame; and ways to do it wrong."""
    period, spent = Fraction(1000) / Fraction(refresh_rate), [Fraction(float(one)) for one in compute]
    whole = [max(one, Fraction(transport)) if hidden else one + (Fraction(transport) if way else 0) for one in spent]
    counts = [w / period if free else max(1, (math.floor if floor else math.ceil)(w / period)) for w in whole]
    fps = sum(1 / count for count in counts) / len(counts) if rates else len(counts) / sum(counts)
    late = [one > period for one in spent] if alone else [count > 1 for count in counts]
    return np.array([float(fps * Fraction(refresh_rate)), sum(late) / len(late)])


pacing = Call("frame_pacing", takes={"compute": "n"}, gives=array("2"),
              parameters=("compute", "transport", "refresh_rate"))  # fmt: skip


@exercise("frame_pacing", points=4, hint="periods = max(1, ceil((compute + transport) / period)); fps = frames / time")
def test_pacing(lab, seed, look):
    """every frame takes whole refresh periods, at least one; fps over all, and the part that took two or more"""
    rows = [(uniform(seed, 9, low=3, high=40).tolist(), 4.0), ([11.0, 18.0, 15.0], 6.0, 50.0),
            (uniform(seed + 1, 14, low=5, high=30).tolist(), 2.5, 144.0),
            ([*uniform(seed + 2, 5, low=1, high=9).tolist(), 20.0], 18.0),
            (uniform(seed + 3, 20, low=10, high=19).tolist(), 1.5)]  # fmt: skip
    pacing.table(Pair(lab.frame_pacing), rows, paced, ways(paced, {
        "the screen is left out: a frame is shown at a refresh, not when it is ready": {"free": True},
        "the transport is left out": {"way": False},
        "compute and transport are taken to overlap. With one frame in flight they add up": {"hidden": True},
        "a frame that misses a refresh waits for the next one: round up": {"floor": True},
        "fps is the mean of the frames' own rates. It is frames by time": {"rates": True},
        "a frame is late when compute and transport together miss the refresh": {"alone": True},
    }), because="every frame takes max(1, ceil((compute + transport) / period)) periods")  # fmt: skip
    due, got = ([run([ms], 4.0)[0] for ms in range(1, 60)] for run in (paced, Pair(lab.frame_pacing)))
    look(target=np.array(due), yours=np.array(got), about="frames per second at 1 to 59 ms of compute")


@exercise("frame_pacing", points=2, hint="ceil(… - 1e-9), and at least one period")
def test_pacing_edges(lab, seed):
    """a frame that is ready at a refresh is shown at it, and rounding costs none; nothing is faster than the screen"""
    run, third, just = Pair(lab.frame_pacing), 1000 / 60, 1 + 1e-6
    rows = [([46.0, 12.0], 4.0, 60.0, 4, 1), ([14.3], 0.1, 70.0, 2, 1), ([0.0, 1.0, 30.0], 0.0, 60.0, 4, 1),
            ([third * (1 + 1e-12), 2 * third], 0.0, 60.0, 3, 1), ([3 * (1000 / 144) - 4, 5.0], 4.0, 144.0, 5, 2),
            ([20 * just, 10.0], 0.0, 50.0, 3, 1), ([3 * third * just - 4, third - 4], 4.0, 60.0, 5, 1)]  # fmt: skip
    for *given, periods, late in rows:
        (fps, part), count = pacing(run, *given).value, len(given[0])
        words = f"compute, transport, refresh rate {given} take {count * given[2] / fps:.3g} refresh periods"
        assert abs(fps * periods / given[2] - count) < 1e-6, f"{words}, and it should take {periods}"
        assert abs(part * count - late) < 1e-6, f"with {given} {late} of {count} frames are late, not {part:.3g}"
    for kind in (np.array, tuple):
        pacing(run, kind([5.0, 40.0]), 3).near(paced([5.0, 40.0], 3), because=f"compute is a {kind.__name__}")
        pacing.refuses(run, kind([]), 2.0, because="there are no frames")
