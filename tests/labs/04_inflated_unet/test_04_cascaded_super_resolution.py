"""Grader of lab 04.4, cascaded super-resolution.

Oracles in double precision: bilinear weights as matrices, Euler's method as a loop, the model written out with the
learner's own layers, profiles rises pixel by pixel.
"""

import itertools
from dataclasses import replace
from functools import partial

import pytest
import torch

from common.course.graders import Call, attempt, judge, record, stand_ins, tensor, theorems, values
from common.course.graders.enlarging import ConditionedFlow, edges, extremes, linear_weights, rises
from common.course.graders.values import noise, uniform
from common.layers.modulation import timestep_features
from common.layers.norm import plain_norm
from common.layers.rope import rotations
from common.tensor_ops import patchify, unpatchify

exercise = pytest.mark.exercise


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: partial(oracle, **how) for message, how in wrong.items()}


ups = Call("upsample_condition", takes={"latents": "b c t h w"}, gives=tensor("b c t y x", "same"),
           sizes=lambda given: {axis: given["latents"].shape[k] * given.get("scale_factor", 2)
                                for axis, k in (("y", 3), ("x", 4))},
           parameters=("latents", "mean", "std", "scale_factor"))  # fmt: skip


def enlarged(latents, mean, std, scale_factor=2, *, form=lambda x, m, s: (x - m) / s, **how):
    """Oracle, and ways to do it wrong."""
    rows, columns = (linear_weights(n, scale_factor, **how) for n in latents.shape[3:])
    large = torch.einsum("ih,bcthw,jw->bctij", rows, latents.double(), columns)
    mean, std = (torch.as_tensor(v, dtype=torch.float64)[:, None, None, None] for v in (mean, std))
    return form(large, mean, std)


def own(x, mean, std):
    return (x - x.mean((0, 2, 3, 4), True)) / x.std((0, 2, 3, 4), keepdim=True)


def small(seed, batch=2, channels=3, frames=4, height=5, width=6):
    std = uniform(seed + 2, channels, low=0.02, high=2.5)
    return noise(seed, batch, channels, frames, height, width) + 0.3, noise(seed + 1, channels), std


@exercise("upsample_condition", points=3, hint='rearrange "(b t) c h w", F.interpolate, then (x - mean) / std')
def test_upsample(lab, seed, look):
    """rows and columns grow by bilinear interpolation, frames stay; each channel is normalised by its own numbers"""
    rows = [small(seed), (*small(seed + 3, 1, 4, 3, 2, 5), {"scale_factor": 3}),
            (*small(seed + 6, 3, 2, 1, 4, 3), 1), (*small(seed + 9, 2, 5, 2, 3, 3), 4)]  # fmt: skip
    mistakes = ways(enlarged, {
        "the corners are aligned. The pixels' middles are: align_corners=False": {"corners": True},
        "pixels are repeated. Interpolate between them: bilinear": {"nearest": True},
        "the statistics are not used: (x - mean) / std": {"form": lambda x, m, s: x},
        "that undoes a normalisation: it is (x - mean) / std": {"form": lambda x, m, s: x * s + m},
        "the mean is not subtracted": {"form": lambda x, m, s: x / s},
        "it is divided by the variance. Divide by std": {"form": lambda x, m, s: (x - m) / s**2},
        "it is normalised by its own mean and std. They are given": {"form": own},
    })  # fmt: skip
    because = "each frame is enlarged bilinearly, then (x - mean) / std of its channel"
    answers = ups.table(lab, rows, enlarged, mistakes, because=because)
    look(target=enlarged(*rows[0])[0, 0, 0].float(), yours=answers[0].value[0, 0, 0])


@exercise("upsample_condition", points=2, hint="torch.as_tensor(mean) takes both; check the shapes first")
def test_upsample_owes(lab, seed):
    """frames do not mix; lists do as well as tensors; dtypes are kept; what does not fit is refused"""
    latents, mean, std = small(seed)
    theorems.owes(ups, lab, latents, mean, std, truth=enlarged, other=small(seed + 5))
    theorems.moves(ups, lab, latents, mean, std, change={"latents": (0, 0, 2)}, along="t", only=[2],
                   because="every frame is enlarged by itself")  # fmt: skip
    for kind in (list, tuple):
        given = kind(mean.tolist()), kind(std.tolist())
        ups(lab, latents, *given).near(enlarged(latents, *given), because="mean and std may be plain numbers")
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float16, 1e-2), (torch.bfloat16, 6e-2)):
        low = latents.to(dtype), mean, std.clamp(min=0.5)
        ups(lab, *low).near(enlarged(*low), tolerance=tolerance, because="the dtype is kept")
    for wrong in ((latents[0], mean, std), (latents, mean[:2], std), (latents, mean, std[:1]),
                  (latents, mean, [0.5, 0, 1]), (latents, mean, -std), (latents, 0.5, std),
                  (latents, mean[:, None], std)):  # fmt: skip
        ups.refuses(lab, *wrong)
    for factor in (0, -2):
        ups.refuses(lab, latents, mean, std, scale_factor=factor, because="a factor is at least 1")


augments = Call("augment_condition", takes={"condition": "b c t h w"}, parameters=("condition", "noise_level", "noise"),
                gives=record("tuple", noisy=tensor("b c t h w", "same"), told=tensor("b", torch.float32)))  # fmt: skip


def levels_of(noise_level, count):
    level = torch.as_tensor(noise_level, dtype=torch.float64)
    return level.expand(count) if level.ndim == 0 else level


def noisy(condition, noise_level, eps, *, keep=lambda a: 1 - a, add=lambda a: a, axis=0, pick=lambda level: level):
    """Oracle, and ways to do it wrong."""
    level = pick(levels_of(noise_level, len(condition))).reshape([-1 if k == axis else 1 for k in range(5)])
    if axis and level.numel() not in (1, condition.shape[axis]):
        return None
    return keep(level) * condition.double() + add(level) * eps.double()


def told(condition, noise_level, eps, times=1000.0):
    return times * levels_of(noise_level, len(condition))


def conditions(seed, level, batch=3, channels=2, frames=4, height=5, width=3):
    clip, eps = (noise(seed + k, batch, channels, frames, height, width) for k in (0, 1))
    return clip, level, eps


@exercise("augment_condition", points=3, hint="append_dims(level, condition) gives the levels their axes")
def test_augment_path(lab, seed, look):
    """the straight path: (1 - a) condition + a noise, each sample with its own level, or all with one"""
    rows = [conditions(seed, torch.tensor([0.25, 0.7, 0.1])), conditions(seed + 2, 0.4, 2, 3, 1, 2, 4),
            conditions(seed + 4, torch.tensor([0.9]), 1, 4, 3, 2, 2),
            conditions(seed + 6, torch.tensor([0.5, 0.05]), 2, 3, 3, 4, 2)]  # fmt: skip
    mistakes = ways(noisy, {
        "the condition is not faded: it is (1 - a) · condition": {"keep": lambda a: 1 + 0 * a},
        "the shares are swapped. Level 0 is no noise": {"keep": lambda a: a, "add": lambda a: 1 - a},
        "that keeps the variance. The path here is straight: 1 - a and a": {"keep": lambda a: (1 - a * a).sqrt()},
        "those are square roots: not 1 - a and a": {"keep": lambda a: (1 - a).sqrt(), "add": torch.sqrt},
        "all samples get the level of the first": {"pick": lambda level: level[:1].expand(len(level))},
        "all samples get the mean level": {"pick": lambda level: level.mean().expand(len(level))},
        "the levels meet the last axis. Give them the axes (B, 1, 1, 1, 1)": {"axis": 4},
    })  # fmt: skip
    because = "it is (1 - a) · condition + a · noise"
    answers = augments.table(lab, rows, noisy, mistakes, part="noisy", because=because)
    look(target=noisy(*rows[0])[0, 0, 0].float(), yours=answers[0].value[0, 0, 0])


@exercise("augment_condition", points=3, hint="1000 * level, with the level expanded to (B,)")
def test_augment_tells(lab, seed):
    """1000 a is told for every sample, in float32; 0 and 1 are exact; what does not fit is refused"""
    rows = [conditions(seed, torch.tensor([0.25, 0.7, 0.1])), conditions(seed, 0.35), conditions(seed, 1),
            conditions(seed + 1, 0, 2)]  # fmt: skip
    mistakes = {"the level is told. The timestep is 1000 times that": partial(told, times=1.0),
                "nothing is told: the model takes the condition for clean": partial(told, times=0.0)}  # fmt: skip
    augments.table(lab, rows, told, mistakes, part="told", because="it is 1000 · a for each sample")
    condition, level, eps = conditions(seed, torch.tensor([0.25, 0.7, 0.1]))
    augments(lab, condition, 0.0, eps)["noisy"].near(condition, tolerance=0, because="level 0 is no noise")
    augments(lab, condition, 1.0, eps)["noisy"].near(eps, tolerance=0, because="level 1 is nothing but noise")
    wide = replace(augments, takes=augments.takes | {"noise_level": "b", "noise": "b c t h w"})
    theorems.owes(wide, lab, condition, level, eps, other=conditions(seed + 3, level))
    theorems.batch_is_samples(wide, lab, condition, level, eps)
    augments(lab, condition, level.double(), eps)["noisy"].near(noisy(condition, level, eps))
    for dtype, tolerance in ((torch.float64, 1e-6), (torch.float16, 2e-3), (torch.bfloat16, 2e-2)):
        low = condition.to(dtype), level, eps.to(dtype)
        answer = augments(lab, *low)
        answer["noisy"].near(noisy(*low), tolerance=tolerance, because="the dtype is the condition's")
        answer["told"].near(told(*low), because="what is told stays float32")
    for wrong in ((condition, -0.1, eps), (condition, 1.01, eps), (condition, torch.tensor([0.2, 1.5, 0.1]), eps),
                  (condition, level[:2], eps), (condition, level[:, None], eps), (condition, torch.rand(4), eps),
                  (condition, 0.2, eps[:1]), (condition, 0.2, eps[..., :2]), (condition, 0.2, eps[0])):  # fmt: skip
        augments.refuses(lab, *wrong)


CONFIG = {"in_channels": 3, "dim": 24, "num_layers": 2, "num_heads": 2, "ffn_dim": 20, "freq_dim": 8}
models = Call("model", takes={"hidden_states": "b c t h w", "timestep": "b", "condition": "b c t h w",
                              "condition_timestep": "b"},
              gives=record("object", sample=tensor("b c t h w", "same")))  # fmt: skip


def built(lab, seed, patch_size=2, rope_theta=30.0):
    """The learner's model in double precision, every weight random."""
    model = attempt("SuperResolutionDiT(…)", lab.SuperResolutionDiT, patch_size=patch_size, rope_theta=rope_theta,
                    **CONFIG)  # fmt: skip
    return stand_ins.fill(model, seed, 0.4).double().requires_grad_(False)


told_both = lambda model, t, ct: model.time_in(t) + model.noise_level_in(ct)  # noqa: E731


def predicted(model, x, t, c, ct, *, joined=lambda x, c: [x, c], both=told_both, ends=plain_norm, scale=1, theta=None):
    """Oracle by the model's own layers, and ways to do it wrong."""
    patch = 1, model.config.patch_size, model.config.patch_size
    size = [n // p for n, p in zip(x.shape[2:], patch)]
    h = model.patches_in(patchify(torch.cat(joined(x, c), dim=1), patch))
    features = [timestep_features(value, model.config.freq_dim).double() for value in (t, ct)]
    embedding = model.embedding(both(model, *features))[:, None]
    places = rotations(size, 12, theta=theta or model.config.rope_theta)
    for block in model.blocks:
        h = block(h, model.to_signal(embedding), places)
    last = model.to_last_signal(embedding).chunk(2, dim=-1)
    out = model.patches_out(ends(h) * (1 + last[scale]) + last[1 - scale])
    return unpatchify(out, patch, x.shape[2:])


def asked(seed, batch=2, frames=3, height=4, width=6):
    x, c = (noise(seed + k, batch, 3, frames, height, width).double() for k in (0, 1))
    t, ct = (uniform(seed + 2 + k, batch, low=0, high=1000) for k in (0, 1))
    return x, t, c, ct


@exercise("SuperResolutionDiT", points=5, hint="The four steps of the docstring; torch.cat([…], dim=1) comes first.")
def test_model(lab, seed, look):
    """the velocity is that of the four steps: concatenate, two levels, blocks, out"""
    for patch_size, rows in ((2, [asked(seed), asked(seed + 4, 3, 2, 6, 2)]), (1, [asked(seed + 8, 1, 4, 2, 3)])):
        model = built(lab, seed, patch_size)
        mistakes = ways(partial(predicted, model), {
            "the condition comes first. The noisy latents do": {"joined": lambda x, c: [c, x]},
            "the condition is not used": {"joined": lambda x, c: [x, x]},
            "the model is not told the condition's noise level": {"both": lambda m, t, ct: m.time_in(t)},
            "both levels go through self.time_in": {"both": lambda m, t, ct: m.time_in(t) + m.time_in(ct)},
            "the two timesteps are swapped": {"both": lambda m, t, ct: m.time_in(ct) + m.noise_level_in(t)},
            "the last norm is missing": {"ends": lambda h: h},
            "self.to_last_signal is taken as scale, shift. It is shift, then scale": {"scale": 0},
            "the theta of the rotation is not the config's": {"theta": 100.0},
        })  # fmt: skip
        right = partial(predicted, model)
        answers = models.table(model, rows, right, mistakes, part="sample", because="it is that of the four steps")
    look(target=right(*rows[0])[0, 0].flatten(1).float(), yours=answers[0].value[0, 0].flatten(1).float())


@exercise("SuperResolutionDiT", points=3, hint="self._check(…) first; (sample,) where return_dict is False")
def test_model_owes(lab, seed):
    """all weights learn; half precision goes through; a tuple on request; what does not fit is refused"""
    model, (x, t, c, ct) = built(lab, seed), asked(seed)
    theorems.owes(models, model, x, t, c, ct, other=asked(seed + 5, 2, 2))
    both = attempt("model(…, return_dict=False)", model, x, t, c, ct, return_dict=False)
    assert isinstance(both, tuple) and len(both) == 1, "model(…, return_dict=False) should be a tuple of one tensor"
    judge("model(…, return_dict=False)[0]", both[0], predicted(model, x, t, c, ct))
    for wrong in ((x[:, :2], t, c[:, :2], ct), (x, t, c[:, :2], ct), (x, t, c[..., :4], ct), (x, t[:1], c, ct),
                  (x, t, c, ct[:1]), (x[0], t, c[0], ct), (x, t[:, None], c, ct)):  # fmt: skip
        models.refuses(model, *wrong)
    answer = models(model.requires_grad_(), x, t, c, ct)["sample"]
    theorems.learns(answer.said, answer.value.square(), dict(model.named_parameters()))
    low = models(model.bfloat16(), x.bfloat16(), t, c.bfloat16(), ct)["sample"]
    low.near(predicted(built(lab, seed), x, t, c, ct), tolerance=0.2, because="in bfloat16 the features are float32")


PARTS = "condition", "noise", "condition_noise"
resolves = Call("super_resolve", takes=dict.fromkeys(PARTS, "b c t h w"), gives=tensor("b c t h w", torch.float32),
                parameters=("model", *PARTS, "noise_level", "num_inference_steps", "shift"))  # fmt: skip


def resolved(model, condition, eps, condition_eps, noise_level=0.2, num_inference_steps=8, shift=1.0, *,
             path=noisy, tells=told, begins=lambda c, eps: eps, drop=0, sign=1, heun=False):  # fmt: skip
    """Oracle: Euler's method in double precision, and ways to do it wrong."""
    condition, x = condition.double(), begins(condition, eps).double()
    even = torch.linspace(1, 0, num_inference_steps + 1, dtype=torch.float64)
    levels = (shift * even / (1 + (shift - 1) * even)).tolist()[: num_inference_steps + 1 - drop]
    seen, told_ = path(condition, noise_level, condition_eps), tells(condition, noise_level, None)
    velocity = lambda x, s: ConditionedFlow()(x, torch.full((len(x),), 1000.0 * s), seen, told_).sample  # noqa: E731
    for s, after in itertools.pairwise(levels):
        v = velocity(x, s)
        v = (v + velocity(x + (after - s) * v, after)) / 2 if heun else v
        x = x + sign * (after - s) * v
    return x


def starts(seed, batch=2, channels=3, frames=2, height=4, width=5):
    return tuple(noise(seed + k, batch, channels, frames, height, width) for k in range(3))


@exercise("super_resolve", points=5, needs=("augment_condition",), hint="last(euler(velocity, noise, flow_levels(…)))")
def test_resolve(lab, seed, look):
    """Euler's steps from noise to level 0, along the velocity that the model gives for the noisy condition"""
    model = ConditionedFlow()
    rows = [(model, *starts(seed), {"noise_level": 0.3, "num_inference_steps": 4}), (model, *starts(seed + 3, 1)),
            (model, *starts(seed + 6, 3, 2, 3, 2, 2), torch.tensor([0.1, 0.6, 0.35]), 5, 3.0),
            (model, *starts(seed + 9), {"noise_level": 0.45, "num_inference_steps": 1, "shift": 2.0})]  # fmt: skip
    clean = lambda condition, noise_level, eps: condition  # noqa: E731
    mistakes = ways(resolved, {
        "the condition has no noise on it: augment it in use too": {"path": clean},
        "the model is not told the condition's noise level": {"tells": partial(told, times=0.0)},
        "there is no augmentation at all": {"path": clean, "tells": partial(told, times=0.0)},
        "it begins at the condition. Begin at the noise": {"begins": lambda c, eps: c},
        "it begins at noise and condition together. Begin at the noise": {"begins": lambda c, eps: c + eps},
        "the last step is missing: K steps need K + 1 levels": {"drop": 1},
        "the steps go away from the data: x + (next s - s) · velocity": {"sign": -1},
        "that is Heun's method. Euler's asks once per step": {"heun": True},
    })  # fmt: skip
    because = "it is Euler's method over flow_levels(K, shift), with the condition augmented once"
    answers = resolves.table(lab, rows, resolved, mistakes, because=because, tolerance=2e-5)
    look(target=resolved(*rows[0][:4], 0.3, 4)[0, 0, 0].float(), yours=answers[0].value[0, 0, 0])


@exercise("super_resolve", points=3, needs=("augment_condition",), hint="model(x, 1000 * s, noisy, told), K times")
def test_resolve_asks(lab, seed):
    """the model is called K times, with timesteps for every sample; half precision and nonsense are dealt with"""
    for steps, shift, level in ((3, 1.0, 0.25), (6, 2.5, torch.tensor([0.5, 0.125]))):
        model, given = ConditionedFlow(), starts(seed)
        answer = resolves(lab, model, *given, noise_level=level, num_inference_steps=steps, shift=shift)
        calls = list(model.calls)
        assert len(calls) == steps, f"{answer.said} calls the model {len(calls)} times: {steps} steps take {steps}"
        even = [1 - k / steps for k in range(steps)]
        for k, (s, a) in enumerate(calls):
            for name, got, want in (("timestep", s, 1000 * shift * even[k] / (1 + (shift - 1) * even[k])),
                                    ("condition's timestep", a, 1000 * levels_of(level, 2))):  # fmt: skip
                assert getattr(got, "shape", None) == (2,), f"{answer.said}: the {name} that the model gets is not (B,)"
                judge(f"the {name} of call {k} in {answer.said}", got, torch.as_tensor(want).expand(2), tolerance=1e-4)
    condition, eps, other = starts(seed)
    theorems.owes(resolves, lab, ConditionedFlow(), condition, eps, other, num_inference_steps=2, tolerance=1e-4,
                  dtypes=(torch.float64,))  # fmt: skip
    low = [value.bfloat16() for value in (condition, eps, other)]
    resolves(lab, ConditionedFlow(), *low).near(resolved(None, *low), tolerance=0.05, because="the result is float32")
    for wrong in ((condition, eps[:1], other), (condition, eps[..., :3], other), (condition, eps, other[:1])):
        resolves.refuses(lab, ConditionedFlow(), *wrong)
    for options in ({"noise_level": 1.2}, {"noise_level": -0.1}, {"num_inference_steps": 0}, {"shift": 0.0}):
        resolves.refuses(lab, ConditionedFlow(), condition, eps, other, **options)


widths = Call("edge_width", takes={"profiles": "n w"}, gives=tensor("n", "same"))


@exercise("edge_width", points=4, hint="argmax of heights >= 0.9, then the last pixel before it at 0.1 or below")
def test_edge(lab, seed, look):
    """from the last time at 0.1 before it to the first time at 0.9, between pixels, for rising and falling edges"""
    bumps = torch.tensor([[0.0, 0.4, 0.04, 0.3, 0.95, 0.05, 1.0], [2.0, 1.8, 2.05, 1.2, 0.1, -0.4, 0.2]])
    rows = [(edges(seed + 4 * k, 6 - k, 14 + k, 0.1 * k),) for k in range(3)] + [(bumps,)]
    mistakes = ways(rises, {
        "the edge ends where 0.9 is reached for the last time. It is the first": {"last_high": True},
        "the edge begins where 0.1 is passed for the first time. It is the last before the end": {"first_low": True},
        "whole pixels are counted. Join them by straight lines": {"whole": True},
        "it is scaled by the smallest and largest value. Its ends are 0 and 1": {"ends": extremes},
        "that is the 20–80 % rise": {"low": 0.2, "high": 0.8},
    })  # fmt: skip
    because = "it is the place of 0.9 minus the place of 0.1, on straight lines between pixels"
    answers = widths.table(lab, rows, rises, mistakes, because=because, tolerance=1e-4)
    look(target=rises(*rows[1]).float(), yours=answers[1].value)


@exercise("edge_width", points=3, hint="(p - first) / (last - first) makes rising and falling, dark and light alike")
def test_edge_theorems(lab, seed):
    """a step is 0.8 wide and a ramp 0.8 (W - 1); contrast, brightness and direction do not count; flat is refused"""
    for width in (2, 3, 6, 11):
        step, ramp = (torch.arange(width) >= width // 2).double()[None], torch.arange(width).double()[None]
        widths(lab, step).near(torch.tensor([0.8]), because="a step climbs all of it between two pixels")
        widths(lab, ramp * 0.3).near(torch.tensor([0.8 * (width - 1)]), because="a ramp climbs evenly")
    profiles = edges(seed, 5, 15, 0.1).double()
    other = [edges(seed + 1, 4, 15)]
    theorems.owes(widths, lab, profiles, truth=rises, other=other, dtypes=(torch.float32,), tolerance=1e-4)
    because = "a pixel that is just at the height has reached it"
    widths(lab, torch.tensor([[0.0, 9, 5, 10], [0, 3, 1, 10]]).double()).near([1 - 1 / 9, 8 / 9], because=because)
    for gain, offset in ((3.0, -7.0), (-0.2, 1.0)):
        widths(lab, gain * profiles + offset).near(rises(profiles), because="only the form of the profile counts")
    theorems.batch_is_samples(replace(widths, takes={"profiles": "b w"}, gives=tensor("b", "same")), lab, profiles)
    flat = profiles.clone()
    flat[2, -1] = flat[2, 0]
    for wrong in (flat, profiles[0], profiles[None], profiles[:, :1], values.noise(seed, 3, 1)):
        widths.refuses(lab, wrong)
