"""Doubles and oracles of lab 03.1: an encoder, a model and an estimate that are one formula each; and their sampler."""

from functools import partial
from types import SimpleNamespace

import torch
from torch.nn import functional as F

from common.course.graders.calls import attempt
from common.course.graders.comparing import judge
from common.course.graders.stand_ins import Keeps
from common.diffusion.samplers import Step

IDS_COUNT = torch.tensor([0.05, -0.002, 0.7], dtype=torch.float64)  # how much the ids count in `Told`


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: partial(oracle, **how) for message, how in wrong.items()}


def told(fps, bucket, strength, *, change=lambda f, m, a: (f - 1, m, a)):
    """Oracle, and ways to do it wrong."""
    return torch.stack(change(fps.double(), bucket.double(), strength.double()), dim=1)


class Coder(Keeps, logs=("asked",)):
    """An encoder that is one formula: it halves rows, thirds columns and makes 5 channels of 3. Not a linear one."""

    def __init__(self, dtype=torch.float32):
        self.dtype, self.asked = dtype, []
        self.config = SimpleNamespace(scaling_factor=0.18215, shift_factor=None, latent_channels=5)

    def formula(self, x):
        mix = torch.linspace(-0.7, 1.1, 15, dtype=torch.float64).reshape(5, 3).roll(4)
        pooled = F.avg_pool2d(x.double(), (2, 3))
        latents = torch.einsum("kc,bchw->bkhw", mix, pooled)
        return latents + 0.3 * torch.sin(3 * latents) + 0.4

    def encode(self, x, return_dict=True):
        self.asked.append(x.detach().clone())
        found = self.formula(x).to(self.dtype)
        draw = lambda generator=None: found + torch.randn(found.shape, generator=generator)  # noqa: E731
        dist = SimpleNamespace(mode=lambda: found, sample=draw)
        return SimpleNamespace(latent_dist=dist) if return_dict else (dist,)


def coded(vae, pictures, strength, eps, guided=False, *, noisy=lambda p, a, e: p + a * e, then=lambda z: z,
          both=lambda zero, z: [zero, z]):  # fmt: skip
    """Oracle, and ways to do it wrong."""
    made = noisy(pictures.double(), float(strength), eps.double())
    latents = then(vae.formula(made))
    return torch.cat(both(torch.zeros_like(latents), latents)) if guided else latents


class Told(Keeps, torch.nn.Module, logs=("asked",)):
    """A model that is one formula of all that it is told, without symmetries. It remembers how it was asked."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.tensor(1.3, dtype=torch.float64))
        self.asked = []

    def formula(self, sample, timestep, states, ids):
        clip, picture = sample.double().chunk(2, dim=2)
        frames, channels = (torch.linspace(0.5, 1.5, n, dtype=torch.float64) for n in clip.shape[1:3])
        said = torch.cos(3 * timestep.double()) + states.double().mean(dim=(1, 2)) + ids.double() @ IDS_COUNT
        v = torch.sin(self.gain * clip * channels[:, None, None]) + 0.6 * torch.tanh(picture) * clip
        return v + picture * frames[:, None, None, None] + said[:, None, None, None, None]

    def forward(self, sample, timestep, encoder_hidden_states, added_time_ids):
        self.asked.append((sample.shape, timestep.shape, encoder_hidden_states.clone(), added_time_ids.clone()))
        found = self.formula(sample, timestep, encoder_hidden_states, added_time_ids)
        return SimpleNamespace(sample=found.to(sample.dtype))


def everywhere(picture, frames, s):
    return picture[:, None].expand(-1, frames, -1, -1, -1)


def first_only(picture, frames, s):
    return torch.cat([picture[:, None], torch.zeros_like(everywhere(picture, frames - 1, s))], dim=1)


def estimated(model, x, sigma, picture, states, time_ids, *, data=1.0, enters=lambda s, g: 1 / s, sign=-1,
              skip=lambda s, g: 1 / s**2, out=lambda s, g: g / s, tells=lambda g: g.log() / 4, show=everywhere,
              first="clip"):  # fmt: skip
    """Oracle, and ways to do it wrong."""
    x, g = x.double(), sigma.double().reshape(-1, 1, 1, 1, 1)
    s = (g**2 + data**2).sqrt()
    parts = [(enters(s, g) * x).movedim(1, 2), show(picture.double(), x.shape[2], s)]
    sample = torch.cat(parts if first == "clip" else parts[::-1], dim=2)
    v = model.formula(sample, tells(sigma.double()), states, time_ids).movedim(1, 2)
    return data**2 * skip(s, g) * x + sign * data * out(s, g) * v


def ramp(low, high, count, *, at=lambda k, n: k / max(n - 1, 1), alone=0.0, by=lambda a, b, p: a + (b - a) * p):
    """Oracle, and ways to do it wrong."""
    places = [at(k, count) for k in range(count)] if count > 1 else [alone]
    return torch.tensor([by(low, high, place) for place in places], dtype=torch.float64)


class Guess(Keeps, logs=("asked",)):
    """An estimate of the clip that is one formula. With guidance the first half of a batch is without the picture."""

    def __init__(self, guided, dtype=torch.float32):
        self.guided, self.dtype, self.asked = guided, dtype, []

    def half(self, x, sigma, both):
        turn = torch.linspace(0.3, 1.1, x.shape[-1], dtype=torch.float64)
        g = sigma.double().reshape(-1, 1, 1, 1, 1)
        own = torch.sin(turn * x.double() / (1 + g)) + 0.2 * torch.cos(g)
        return 1.4 * own - 0.5 * x.double() / (1 + g) ** 2 + 0.6 if both else 0.5 * own - 0.3

    def __call__(self, x, sigma):
        self.asked.append((x.clone(), sigma.clone()))
        if not self.guided:
            return self.half(x, sigma, True).to(self.dtype)
        assert len(x) == len(sigma) and len(x) % 2 == 0, (
            f"with guidance x and sigma are doubled: {x.shape}, {sigma.shape}"
        )
        halves = zip(x.chunk(2), sigma.chunk(2), (False, True))
        return torch.cat([self.half(*half) for half in halves]).to(self.dtype)


def walked(denoise, x, sigmas, scale=None, *, mix=lambda no, yes, s: no + s * (yes - no), late=0, sign=1, start=1.0,
           over=lambda s: s, swap=False, keep="guided", drop=0, level=None):  # fmt: skip
    """Oracle: (sample, denoised, level) of each step; and ways to do it wrong."""
    x, found = start * x.double(), []
    steps = list(zip(sigmas[:-1].double(), sigmas[1:].double()))
    for here, after in steps[: len(steps) - drop]:
        at = (after if late and after > 0 else here).expand(len(x))
        guess = yes = denoise.half(x, at, True)
        if scale is not None:
            no = denoise.half(x, at, False)
            no, yes = (yes, no) if swap else (no, yes)
            guess = mix(no, yes, over(scale.double()).reshape(1, 1, -1, 1, 1))
        x = x + sign * (after - here) * (x - guess) / here
        found.append((x, yes if keep == "both" else guess, here.expand(len(x))))
    return found


def drawn(lab, denoise, x, sigmas, scale=None):
    """What the sampler yields, as a list of steps."""
    given = [value if value is None else value.clone() for value in (x, sigmas, scale)]
    more = given if scale is not None else given[:2]
    steps = attempt("list(svd_sample(…))", lambda: list(lab.svd_sample(denoise, *more)))
    for before, after in zip((x, sigmas, scale), given):
        assert before is None or torch.equal(before, after), "svd_sample changed a tensor that it was given"
    for one in steps:
        assert isinstance(one, Step), f"svd_sample yields {type(one).__name__}, and it should yield a Step"
        for name in ("sample", "denoised"):
            got = getattr(one, name)
            assert isinstance(got, torch.Tensor), f"{name} of a step is {type(got).__name__}, and no tensor"
            assert got.shape == x.shape, f"{name} of a step is {tuple(got.shape)}. It is like x, {tuple(x.shape)}"
            assert got.dtype == torch.float32, f"{name} of a step is {got.dtype}. It is float32"
    return steps


def compare(steps, oracle, wrong, said, because):
    """Judge all steps: how many, then the samples, then what else belongs to each."""
    want = oracle()
    stacked = lambda rows, k: torch.stack([row[k].double() for row in rows])  # noqa: E731
    assert len(steps) == len(want), f"{said} yields {len(steps)} steps. There are {len(want)}, one from level to level"
    mistakes = {message: partial(lambda how: stacked(oracle(**how), 0), how) for message, how in wrong.items()}
    judge(f"the samples of {said}", torch.stack([one.sample for one in steps]), stacked(want, 0), mistakes,
          because=because, tolerance=3e-5)  # fmt: skip
    judge(f"denoised of {said}", torch.stack([one.denoised for one in steps]), stacked(want, 1), {
        "that is the sample after the step": stacked(want, 0),
        "that is the half with the picture alone. It is the guided estimate": stacked(oracle(keep="both"), 1),
    }, because="it is the estimate e, from before the step", tolerance=2e-4)  # fmt: skip
    assert [one.index for one in steps] == list(range(len(want))), f"index of {said} is not 0, 1, 2, …"
    for one, row in zip(steps, want):
        judge(f"level of step {one.index} of {said}", one.level, row[2], because="it is sigma before the step, (B,)")


def refuses(lab, because, *args):
    """The sampler raises `ValueError`, and not before its first step is drawn."""
    steps = attempt(f"svd_sample(…), where {because}, before a step is drawn,", lab.svd_sample, *args)
    try:
        next(iter(steps))
    except ValueError:
        return
    except NotImplementedError:
        raise
    except Exception as error:
        raise AssertionError(f"svd_sample should raise ValueError, and raises {error!r}: {because}") from error
    raise AssertionError(f"svd_sample should raise ValueError when its first step is drawn: {because}")
