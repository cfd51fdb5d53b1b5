"""Grader of lab 06.2, flow matching from scratch.

Oracles: number by number in double precision, samplers written out by hand, and a model that is one crooked formula.
"""

import inspect
from functools import partial

import pytest
import torch

from common.course.graders import Call, attempt, judge, record, stand_ins, tensor, theorems
from common.course.graders.values import noise, uniform
from common.diffusion.paths import Level
from common.diffusion.samplers import Step

exercise = pytest.mark.exercise
SIZES = ((2, 3, 4, 5, 6), (3, 2, 5, 1, 4), (1, 4, 2, 3, 2), (3, 2, 3, 4, 2))  # the last: as many samples as frames


def factor(values, x):
    """A number per sample or per frame, beside x."""
    return values.double().reshape(len(values), *([1] * (x.ndim - 1) if values.ndim == 1 else [1, x.shape[2], 1, 1]))


def cases(seed, dtype=torch.float32):
    """Data, noise, and levels of every kind: of a path, of none, per sample, per frame."""
    for k, size in enumerate(SIZES):
        for where in (size[:1], (size[0], size[2])):
            signal, eps = (uniform(seed + k + j, *where, low=0.1, high=1.6, dtype=dtype) for j in (50, 60))
            yield noise(seed + k, *size, dtype=dtype), noise(seed + k + 9, *size, dtype=dtype), Level(signal, eps)


flat = Level(torch.tensor([0.2, 0.9, 0.5]), torch.tensor([1.3, 0.1, 0.4]))  # for data of other axes
noisy = Call("add_noise", {"x0": "b ...", "eps": "b ..."}, tensor("b ..."), parameters=("x0", "eps", "level"))


def mixed(x0, eps, level):
    return factor(level.signal, x0) * x0.double() + factor(level.noise, x0) * eps.double()


@exercise("add_noise", points=3, hint="beside(level.signal, x0) * x0 + beside(level.noise, x0) * eps")
def test_add_noise(lab, seed, look):
    """signal times the data plus noise times eps, on any path, with a level per sample or per frame"""
    rows = list(cases(seed))
    rows += [(noise(seed, *size), noise(seed + 1, *size), flat) for size in ((3,), (3, 2), (3, 2, 4, 5))]
    answers = noisy.table(lab, rows, mixed, {
        "the factors are swapped: signal belongs to the data":
            lambda x0, eps, level: mixed(eps, x0, level),
        "the data's factor is signal, and not 1 - noise: paths differ there":
            lambda x0, eps, level: mixed(x0, eps, Level(1 - level.noise, level.noise)),
        "the noise's factor is noise, and not 1 - signal: paths differ there":
            lambda x0, eps, level: mixed(x0, eps, Level(level.signal, 1 - level.signal)),
        "the factors are level.signal and level.noise themselves, not their squares":
            lambda x0, eps, level: mixed(x0, eps, Level(level.signal**2, level.noise**2)),
        "the data are not scaled: that is EDM's path alone":
            lambda x0, eps, level: mixed(x0, eps, Level(torch.ones_like(level.signal), level.noise)),
    }, because="it is signal · x0 + noise · eps, each factor beside its own sample or frame")  # fmt: skip
    look(target=mixed(*rows[0])[0, 0], yours=answers[0].value[0, 0])
    theorems.owes(noisy, lab, *rows[0], other=rows[2], batch_of_one=False)
    theorems.owes(noisy, lab, *list(cases(seed + 1, torch.float64))[3], other=rows[2], batch_of_one=False)


KINDS = {"velocity": lambda x0, eps, a, b: eps - x0, "epsilon": lambda x0, eps, a, b: eps,
         "sample": lambda x0, eps, a, b: x0, "v_prediction": lambda x0, eps, a, b: a * eps - b * x0}  # fmt: skip
targets = Call("join", {"x0": "b c t h w", "eps": "b c t h w"}, tensor("b c t h w"),
               parameters=("x0", "eps", "kind", "level"))  # fmt: skip


def target(x0, eps, kind, level, **other):
    a, b = factor(level.signal, x0), factor(level.noise, x0)
    return (KINDS | other)[kind](x0.double(), eps.double(), a, b)


@exercise("join", points=4, hint='"velocity": eps - x0, "v_prediction": signal · eps - noise · x0, …')
def test_join(lab, seed, look):
    """what a model of each of the four kinds should predict, with a level per sample or per frame"""
    rows = [(x0, eps, kind, level) for kind in KINDS for x0, eps, level in cases(seed)]
    wrong = {
        "the velocity points from the data to the noise: eps - x0": ("velocity", lambda x0, eps, a, b: x0 - eps),
        "the velocity has no factors: it is eps - x0": ("velocity", lambda x0, eps, a, b: b * eps - a * x0),
        "the sign of v is turned around": ("v_prediction", lambda x0, eps, a, b: b * x0 - a * eps),
        "in v the factors are crossed: signal · eps - noise · x0":
            ("v_prediction", lambda x0, eps, a, b: b * eps - a * x0),
        "v is a difference: signal · eps - noise · x0": ("v_prediction", lambda x0, eps, a, b: a * eps + b * x0),
        "epsilon is the noise as it was drawn, not scaled": ("epsilon", lambda x0, eps, a, b: b * eps),
        "sample is the data, not scaled": ("sample", lambda x0, eps, a, b: a * x0),
        "epsilon is the noise, and sample is the data": ("epsilon", lambda x0, eps, a, b: x0),
    }  # fmt: skip
    for kind in KINDS:
        mistakes = {say: partial(target, **{k: f}) for say, (k, f) in wrong.items() if k == kind}
        mine = [row for row in rows if row[2] == kind]
        answers = targets.table(lab, mine, target, mistakes, because=f"that is no {kind}")
    look(target=target(*rows[-1])[0, 0], yours=answers[-1].value[0, 0])
    for row in (rows[0], rows[-1]):
        theorems.owes(targets, lab, *row, other=rows[7], batch_of_one=False)
    for kind in ("v", "flow", "Velocity", "", None):
        targets.refuses(lab, *rows[0][:2], kind, rows[0][3], because="it is none of the four")


levels_at = Call("logit_normal", {"z": "..."}, tensor("...", "same"), parameters=("z", "mean", "std"))


def logistic(z, mean=0.0, std=1.0):
    return 1 / (1 + torch.exp(-(mean + std * z.double())))


@exercise("logit_normal", points=3, hint="torch.sigmoid(mean + std * z)")
def test_logit_normal(lab, seed, look):
    """the logit of the levels is normal, with the mean and the standard deviation that are asked for"""
    z = noise(seed, 40)
    rows = [(z, 0.0, 1.0), (z[:6].reshape(2, 3), 1.0, 0.5), (z, -0.7, 1.8), (z[:1], 2.5, 0.3), (z[3], -2.0, 2.0)]
    answers = levels_at.table(lab, rows, logistic, {
        "std is not used": lambda z, mean, std: logistic(z, mean),
        "mean is not used": lambda z, mean, std: logistic(z, 0, std),
        "mean and std are swapped": lambda z, mean, std: logistic(z, std, mean),
        "mean is added after the sigmoid. It is that of the logit":
            lambda z, mean, std: mean + logistic(std * z),
        "std scales the mean too. It is mean + std · z": lambda z, mean, std: logistic(std * (z + mean)),
        "1 - s comes out: higher z means more noise": lambda z, mean, std: 1 - logistic(z, mean, std),
        "std multiplies, it does not divide": lambda z, mean, std: logistic(z / std, mean),
        "that is the normal distribution function. The sigmoid is 1 / (1 + e^-x)":
            lambda z, mean, std: torch.special.ndtr(mean + std * z.double()),
    }, because="its logit, ln(s / (1 - s)), is mean + std · z")  # fmt: skip
    look(target=logistic(*rows[0]), yours=answers[0].value, about="levels of 40 numbers")
    judge("logit_normal(z), without mean and std,", levels_at(lab, z).value, logistic(z), because="they are 0 and 1")
    far = torch.tensor([-60.0, -6.0, 6.0, 9.0, 60.0])
    levels_at(lab, far, 1.0, 3.0).near(logistic(far, 1.0, 3.0), because="far levels are finite, and from 0 to 1")
    theorems.owes(levels_at, lab, z.reshape(2, 4, 5), 0.3, 1.4, dtypes=[torch.float64], batch_of_one=False)


class Crooked(stand_ins.Keeps, logs=("asked",)):
    """A model that is one formula without symmetries, of each sample by itself. It remembers how it was asked."""

    __name__ = "model"

    def __init__(self, dtype=torch.float32, scale=1.0):
        self.dtype, self.scale, self.asked = dtype, scale, []

    def formula(self, x, level):
        turn = torch.linspace(0.3, 1.1, x.shape[-1], dtype=torch.float64)
        return torch.sin(2 * x * turn) - 0.3 * x + torch.cos(3 * self.scale * factor(level, x))

    def __call__(self, x, level):
        self.asked.append((x.clone(), level.clone()))
        return self.formula(x.double(), level).to(self.dtype)


def drawn(call, model, *args, **kwargs):
    """What a sampler yields, as plain lists: index, level, sample, denoised."""
    given = [a.clone() if isinstance(a, torch.Tensor) else a for a in args]
    steps = attempt(f"list({call.__name__}(…))", lambda: list(call(model, *given, **kwargs)))
    for before, after in zip(args, given):
        if isinstance(before, torch.Tensor):
            assert torch.equal(before, after), f"{call.__name__} changed a tensor that it was given: work on a copy"
    for one in steps:
        assert isinstance(one, Step), f"{call.__name__} yields {type(one).__name__}, and it should yield a Step"
        for name in ("sample", "denoised"):
            got = getattr(one, name)
            assert isinstance(got, torch.Tensor), f"{name} of a step is {type(got).__name__}, and no tensor"
            assert got.dtype == torch.float32, f"{name} of a step is {got.dtype}: all arithmetic is in float32"
    return steps


def compare(name, steps, oracle, wrong, because, tolerance=2e-5):
    """Judge all steps: how many, then the samples, then what belongs to each. `wrong`: message to a mistake's name."""
    want, said = oracle(), f"{name} of {len(steps)} steps"
    assert len(steps) == len(want), f"{said}: there should be {len(want)}, one for each step from level to level"
    stacked = lambda rows, k: torch.stack([row[k].double() for row in rows])  # noqa: E731
    mistakes = {say: partial(lambda how: stacked(oracle(**how), 0), how) for say, how in wrong.items()}
    found = torch.stack([one.sample for one in steps])
    judge(f"the samples of {said}", found, stacked(want, 0), mistakes, because=because, tolerance=tolerance)
    seen = torch.stack([one.denoised for one in steps])
    judge(f"denoised of {said}", seen, stacked(want, 1), {
        "that is the sample after the step": stacked(want, 0),
    }, because="it is what the model took for the data, before the step", tolerance=tolerance)  # fmt: skip
    assert [one.index for one in steps] == list(range(len(want))), f"index of {said} is not 0, 1, 2, …"
    for one, row in zip(steps, want):
        judge(f"level of step {one.index} of {said}", one.level, row[2], because="it is the one before the step")


def walked(f, x, levels, late=0, sign=1, fixed=0):
    """Oracle of Euler's method: (sample, denoised, level) of each step."""
    x, found = x.double(), []
    for here, after in zip(levels[:-1].double(), levels[1:].double()):
        at, to = here.expand(len(x), *here.shape), after.expand(len(x), *after.shape)
        d = f(x, to if late else at)
        start, x = x, x + sign * factor(torch.full_like(at, -1 / (len(levels) - 1)) if fixed else to - at, x) * d
        found.append((x, start - factor(at, start) * d, at))
    return found


EULER_ROWS = (((2, 3, 4, 5, 6), [1.0, 0.7, 0.3, 0.0]), ((3, 2, 5, 1, 4), [0.9, 0.85, 0.85, 0.2, 0.05, 0.0]),
              ((1, 4, 2, 3, 2), [2.5, 0.0]))  # fmt: skip
FRAMES = torch.tensor([[1.0, 0.0, 0.8, 0.9], [0.5, 0.0, 0.8, 0.2], [0.1, 0.0, 0.3, 0.2], [0.0, 0.0, 0.0, 0.0]])


@exercise("euler", points=4, hint="x = x + beside(after - level, x) * d, for each pair of level_pairs(levels, x)")
def test_euler_steps(lab, seed, look):
    """every step goes along the derivative to the next level; levels per sample and per frame"""
    for k, (size, levels) in enumerate([*EULER_ROWS, (SIZES[0], FRAMES)]):
        x, levels, model = noise(seed + k, *size), torch.as_tensor(levels), Crooked()
        oracle, steps = partial(walked, model.formula, x, levels), drawn(lab.euler, model, x, levels)
        compare("euler", steps, oracle, {
            "it walks away from the data: a step is next - level, which is negative": {"sign": -1},
            "all steps are equally long. A step goes to its own next level": {"fixed": 1},
            "the derivative is asked at the level after the step. It is the one before it": {"late": 1},
        }, because="a step is x + (next - level) · derivative(x, level)")  # fmt: skip
        if k == 0:
            look(target=oracle()[-1][0][0, 0], yours=steps[-1].sample[0, 0])


@exercise("euler", points=2, hint="d = derivative(x, level).float(), once per step; then yield Step(…)")
def test_euler_owes(lab, seed):
    """one call per step, made when it is drawn; float32 inside; frames at level 0 stay; bad levels are refused"""
    size, levels = EULER_ROWS[1][0], torch.tensor(EULER_ROWS[1][1])
    asks_like(lab.euler, noise(seed, *size), levels, (), len(levels) - 1, lambda k: levels[k].expand(3))
    x = noise(seed, *SIZES[0])
    for one in drawn(lab.euler, Crooked(), x, FRAMES):
        judge("a frame whose level is 0 throughout, in the sample", one.sample[:, :, 1], x[:, :, 1])
    for levels in ([1.0, 0.5], [0.0, 0.5, 0.0], [1.0, 0.2, 0.3, 0.0]):
        refuses(lab.euler, "they rise, or do not end at 0", Crooked(), x, torch.tensor(levels))


def refuses(call, because, *args):
    try:
        list(call(*args))
    except ValueError:
        return
    except NotImplementedError:
        raise
    except Exception as error:
        raise AssertionError(f"{call.__name__} should raise ValueError, and raises {error!r}: {because}") from error
    raise AssertionError(f"{call.__name__} should raise ValueError for levels {args[2].tolist()}: {because}")


def asks_like(call, x, levels, more, count, level_of):
    """What a sampler owes its model: when it is asked, how often, at which level; and precision."""
    name, model = call.__name__, Crooked()
    steps = call(model, x, levels, *more)
    assert inspect.isgenerator(steps) or hasattr(steps, "__next__"), f"{name} returns no iterator: use `yield`"
    assert not model.asked, f"{name} asks the model before a step is drawn: `yield` each step when it is made"
    for k in range(count):
        attempt(f"next({name}(…))", next, steps)
        said = f"after {k + 1} steps were drawn, {name} has asked the model {len(model.asked)} times"
        assert len(model.asked) == k + 1, f"{said}: once per step, when it is drawn"
        seen = model.asked[-1][1]
        assert seen.shape == level_of(k).shape, f"{name} gives the model a level {tuple(seen.shape)}: it is (B,)"
        assert seen.dtype == level_of(k).dtype, f"{name} gives the model a level in {seen.dtype}"
        judge(f"the level that {name} gives the model in step {k}", seen, level_of(k))
    half = drawn(call, Crooked(torch.bfloat16), x.to(torch.bfloat16), levels, *more)
    plain = drawn(call, lambda x, level: Crooked(torch.bfloat16)(x, level).float(), x.to(torch.bfloat16).float(),
                  levels, *more)  # fmt: skip
    judge(f"{name} of a model in bfloat16", half[-1].sample, plain[-1].sample, tolerance=1e-6,
          because="x and what the model gives come in half precision, and all arithmetic is in float32")  # fmt: skip
    one, again = (drawn(call, Crooked(), x, levels, *more)[-1].sample for _ in range(2))
    judge(f"a second run of {name}", again, one, because="it draws no noise, and keeps nothing")


ALPHAS = torch.cumprod(1 - torch.linspace(0.002, 0.12, 40, dtype=torch.float64), dim=0)
DDIM_ROWS = ((SIZES[0], [39, 20, 7, 0], "epsilon"), (SIZES[1], [30, 28, 3], "v_prediction"),
             (SIZES[2], [11], "epsilon"), (SIZES[1], [35, 15], "velocity"))  # fmt: skip


def parted(x, prediction, kind, a, b):
    return {"epsilon": ((x - b * prediction) / a, prediction),
            "velocity": ((x - b * prediction) / (a + b), (x + a * prediction) / (a + b)),
            "v_prediction": ((a * x - b * prediction) / (a**2 + b**2), (b * x + a * prediction) / (a**2 + b**2)),
            }[kind]  # fmt: skip


def denoising(f, x, timesteps, kind, *, final=1.0, root=True, drop=0, taken=None):
    """Oracle of DDIM: as `walked`. `final`: ᾱ after the last timestep."""
    x, found, bars = x.double(), [], [*(ALPHAS[t].item() for t in timesteps), final]
    power = 0.5 if root else 1
    for k, t in enumerate(timesteps):
        a, b = bars[k] ** power, (1 - bars[k]) ** power
        to, off = bars[k + 1] ** power, (1 - bars[k + 1]) ** power
        at = torch.full((len(x),), t)
        x0, eps = parted(x, f(x, at), taken or kind, a, b)
        x = to * x0 + off * (x if drop else eps)
        found.append((x, x0, at))
    return found


@exercise("ddim", points=5, hint="x0, eps = split(x, predict(x, here), kind, ddpm_level(here, alphas_cumprod))")
def test_ddim_steps(lab, seed, look):
    """the data and the noise that a prediction stands for are mixed at the next timestep; then comes the data"""
    for k, (size, timesteps, kind) in enumerate(DDIM_ROWS):
        x, model = noise(seed + k, *size), Crooked(scale=0.02)
        steps = drawn(lab.ddim, model, x, torch.tensor(timesteps), ALPHAS.float(), kind)
        oracle = partial(denoising, model.formula, x, timesteps, kind)
        compare("ddim", steps, oracle, {
            "the last step ends at timestep 0. After the last timestep come the data": {"final": ALPHAS[0].item()},
            "the roots are missing: the factors are √ᾱ and √(1 - ᾱ). ddpm_level gives them": {"root": False},
            "the noise that is mixed in is x itself. Take the noise that split gives": {"drop": 1},
            "the prediction is taken for the noise, whatever the kind": {"taken": "epsilon"},
        }, because="a step is split(…) at its timestep, and add_noise(…) at the next", tolerance=1e-4)  # fmt: skip
        if k == 0:
            look(target=oracle()[-1][0][0, 0], yours=steps[-1].sample[0, 0])


@exercise("ddim", points=2, hint="for index, timestep in enumerate(timesteps): here = timestep.expand(len(x))")
def test_ddim_owes(lab, seed):
    """one call per step, made when it is drawn, at the timestep as it is; float32 inside; epsilon is the usual kind"""
    size, timesteps = SIZES[1], torch.tensor([33, 21, 9, 2])
    x = noise(seed, *size)
    asks_like(lab.ddim, x, timesteps, (ALPHAS.float(),), 4, lambda k: timesteps[k].expand(3))
    usual, named = (drawn(lab.ddim, Crooked(), x, timesteps, ALPHAS.float(), *kind)[-1].sample
                    for kind in ((), ("epsilon",)))  # fmt: skip
    judge("ddim without a kind", usual, named, because='the usual kind is "epsilon"')


rescaled = Call("as_flow", {"x": "b c t h w"}, record("tuple", clip=tensor("b c t h w"), s=tensor()),
                parameters=("x", "level"))  # fmt: skip


@exercise("as_flow", points=4, hint="total = level.signal + level.noise; x / beside(total, x), level.noise / total")
def test_as_flow(lab, seed, look):
    """the clip is scaled so that its factors add up to 1, and s is the noise's; the ratio stays"""

    def clip(x, level):
        return x.double() / factor(level.signal + level.noise, x)

    def s(x, level):
        return level.noise.double() / (level.signal + level.noise).double()

    edges = Level(torch.tensor([0.0, 1.7]), torch.tensor([0.6, 0.0]))
    rows = [(x0, level) for x0, _, level in cases(seed)]
    root = lambda level: (level.signal.double() ** 2 + level.noise.double() ** 2).sqrt()  # noqa: E731
    answers = rescaled.table(lab, rows, clip, {
        "the clip is not rescaled": lambda x, level: x,
        "divide by the sum of the factors": lambda x, level: x * factor(level.signal + level.noise, x),
        "the factors have to add up to 1, not their squares": lambda x, level: x / factor(root(level), x),
        "divide by signal + noise, not by signal": lambda x, level: x / factor(level.signal, x),
    }, part="clip", because="its factors are then 1 - s and s")  # fmt: skip
    rescaled.table(lab, rows, s, {
        "s is 0 for data: it is the share of the noise": lambda x, level: 1 - s(x, level),
        "s is not rescaled: it is noise / (signal + noise)": lambda x, level: level.noise,
        "that is the ratio to the signal. s is noise / (signal + noise)": lambda x, level: level.noise / level.signal,
    }, part="s", because="it is noise / (signal + noise)")  # fmt: skip
    look(target=clip(*rows[0])[0, 0], yours=answers[0].value[0, 0])
    for part, truth in (("clip", clip), ("s", s)):
        rescaled.table(lab, [(noise(seed, *SIZES[0]), edges)], truth, part=part)
    theorems.owes(rescaled, lab, *rows[0], other=rows[2], batch_of_one=False)
    theorems.owes(rescaled, lab, *next((x, level) for x, _, level in cases(seed, torch.float64)), batch_of_one=False)
    x0, eps, level = next(cases(seed + 3))
    got = rescaled(lab, mixed(x0, eps, level).float(), level)
    flow = Level(1 - got["s"].value, got["s"].value)
    judge("a noisy clip as as_flow gives it", got["clip"].value, mixed(x0, eps, flow), because="it is on another path")
