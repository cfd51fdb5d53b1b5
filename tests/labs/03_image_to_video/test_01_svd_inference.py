"""Grader of lab 03.1, Stable Video Diffusion's inference.

Oracles in double precision: the model is one formula of all that it is told, the encoder a table of weights, and the
sampler a loop.
"""

from dataclasses import replace
from functools import partial

import pytest
import torch

from common.course.graders import Call, attempt, judge, tensor, theorems
from common.course.graders.animating import (
    Coder,
    Guess,
    Told,
    coded,
    compare,
    drawn,
    estimated,
    everywhere,
    first_only,
    ramp,
    refuses,
    told,
    walked,
    ways,
)
from common.course.graders.values import noise, uniform

exercise = pytest.mark.exercise


ids = Call("added_time_ids", takes=dict.fromkeys(("fps", "motion_bucket_id", "noise_aug_strength"), "b"),
           gives=tensor("b 3", torch.float32))  # fmt: skip


def facts(seed, batch=4):
    return uniform(seed, batch, low=3, high=30), uniform(seed + 1, batch, low=1, high=254).round(), uniform(
        seed + 2, batch, low=0.01, high=0.6)  # fmt: skip


@exercise("added_time_ids", points=2, hint="torch.stack([fps.float() - 1, …, …], dim=1)")
def test_ids(lab, seed, look):
    """one frame per second less, then the bucket, then the noise, each as it is; float32 from any dtype"""
    rows = [facts(seed), facts(seed + 3, 1), tuple(torch.tensor(v) for v in ([0.5, 90.0], [-3.5, 411.25], [0.0, 2.5]))]
    mistakes = ways(told, {
        "the frames per second are not one less": {"change": lambda f, m, a: (f, m, a)},
        "the frames per second are one more, not one less": {"change": lambda f, m, a: (f + 1, m, a)},
        "the frames per second are rounded": {"change": lambda f, m, a: ((f - 1).floor(), m, a)},
        "every column is one less. Only the frames per second are": {"change": lambda f, m, a: (f - 1, m - 1, a)},
        "the bucket is scaled. It stays as it is": {"change": lambda f, m, a: (f - 1, m / 255, a)},
        "the noise is told as a logarithm. It stays as it is": {"change": lambda f, m, a: (f - 1, m, a.log())},
        "the noise is told as a variance. It stays as it is": {"change": lambda f, m, a: (f - 1, m, a * a)},
        "bucket and noise are swapped": {"change": lambda f, m, a: (f - 1, a, m)},
        "fps and bucket are swapped": {"change": lambda f, m, a: (m, f - 1, a)},
    })  # fmt: skip
    answers = ids.table(lab, rows, told, mistakes, because="the columns are fps - 1, bucket and noise")
    look(target=told(*rows[0]).flatten(), yours=answers[0].value.flatten(), about="the ids of four clips, in a row")
    fps, bucket, strength = facts(seed + 9, 3)
    whole = fps.round().long(), bucket.int(), strength.double()
    ids(lab, *whole).near(told(*whole), because="the inputs may have any dtype")
    theorems.owes(ids, lab, fps.round(), bucket, strength, truth=told, meta=True, dtypes=[torch.float64])
    small = [torch.tensor(value) for value in ([0.3, 0.0, 0.7], [200.0, 3.0, 0.0], [1.0, 0.0, 2.0])]
    for dtype in (torch.float16, torch.bfloat16, torch.uint8, torch.int8, torch.int64):
        low = [value.clamp(max=100).to(dtype) for value in small]
        because = f"from {str(dtype).removeprefix('torch.')}: convert to float32 first, then subtract"
        ids(lab, *low).near(told(*low), tolerance=1e-7, because=because)


@exercise("added_time_ids", points=1, hint="compare the shapes of all three before stacking")
def test_ids_refuse(lab, seed):
    """three batches of one size, or none"""
    for k, other in ((0, slice(2)), (1, slice(1)), (2, slice(3)), (0, 0), (1, 0), (2, 0), (0, (slice(None), None)),
                     (1, (slice(None), None)), (2, (None,))):  # fmt: skip
        given = list(facts(seed))
        given[k] = given[k][other]
        ids.refuses(lab, *given, because="all three are (B,)")
    for form in (lambda v: v[0], lambda v: v[:, None], lambda v: v[None]):
        ids.refuses(lab, *map(form, facts(seed)), because="all three are (B,)")


conditions = Call("condition_latents", takes={"pictures": "b 3 h w", "noise": "b 3 h w"},
                  parameters=("vae", "pictures", "noise_aug_strength", "noise", "guided"),
                  sizes=lambda given: {"n": len(given["pictures"]) * (1 + bool(given.get("guided"))), "c": 5,
                                       "y": given["pictures"].shape[2] // 2, "x": given["pictures"].shape[3] // 3},
                  gives=tensor("n c y x", torch.float32))  # fmt: skip


def shown(seed, batch=2, rows=4, columns=9, strength=0.3, dtype=torch.float32):
    pictures = uniform(seed, batch, 3, rows, columns)
    return Coder(dtype), pictures, strength, noise(seed + 1, batch, 3, rows, columns)


@exercise(
    "condition_latents", points=4, hint="vae.encode((pictures + strength * noise).to(vae.dtype)).latent_dist.mode()"
)
def test_condition(lab, seed, look):
    """noise on the pixels, then the encoder's most likely latents, unscaled; zeros before them with guidance"""
    rows = [shown(seed), shown(seed + 2, 1, 6, 6, 0.02), shown(seed + 4, 3, 2, 6, 1.5), (*shown(seed + 6), True),
            (*shown(seed + 8, 3, 4, 3, 0.7), {"guided": True})]  # fmt: skip
    mistakes = ways(coded, {
        "there is no noise on the picture": {"noisy": lambda p, a, e: p},
        "the noise has another size: it is strength · noise": {"noisy": lambda p, a, e: p + a * a * e},
        "the noise has the root of its size: strength is a standard deviation": {
            "noisy": lambda p, a, e: p + a**0.5 * e},
        "the picture is faded. The noise is only added": {"noisy": lambda p, a, e: (1 - a) * p + a * e},
        "the noisy picture is clamped": {"noisy": lambda p, a, e: (p + a * e).clamp(-1, 1)},
        "the picture is brought to [0, 1]. The encoder reads [-1, 1]": {"noisy": lambda p, a, e: (p + 1) / 2 + a * e},
        "the latents are scaled. Those of a picture are not": {"then": lambda z: 0.18215 * z},
        "the latents are divided by the scaling factor": {"then": lambda z: z / 0.18215},
    })  # fmt: skip
    because = "it is encode(pictures + strength · noise), as it is"
    plain = conditions.table(lab, rows[:3], coded, mistakes, because=because)
    conditions.table(lab, rows[3:], coded, mistakes | ways(coded, {
        "the zeros come after the pictures. They come first": {"both": lambda zero, z: [z, zero]},
        "the pictures come twice. Without a picture there are zeros": {"both": lambda zero, z: [z, z]},
        "the first half is a grey picture, coded. It is zeros": {"both": lambda zero, z: [zero + 0.4, z]},
    }), because="guided, B samples of zeros come first")  # fmt: skip
    look(target=coded(*rows[0])[0].flatten(), yours=plain[0].value[0].flatten(), about="the latents of one picture")


@exercise("condition_latents", points=3, hint="check strength and noise first; .float() at the end")
def test_condition_owes(lab, seed):
    """one call of the encoder in its own dtype; float32 comes back; nothing is drawn; nonsense is refused"""
    for dtype, tolerance in ((torch.float32, 1e-6), (torch.float64, 1e-6), (torch.bfloat16, 2e-2)):
        for guided in (False, True):
            vae, pictures, strength, eps = shown(seed, 3, 4, 6, 0.4, dtype)
            answer = theorems.leaves_random_numbers_alone(
                "condition_latents(…)", partial(conditions, lab), vae, pictures, strength, eps, guided=guided
            )
            given = vae.asked
            assert len(given) == 1, f"{answer.said} calls vae.encode {len(given)} times. It codes all pictures in one"
            assert given[0].shape == pictures.shape, f"{answer.said}: vae.encode gets {tuple(given[0].shape)}"
            assert given[0].dtype == dtype, f"{answer.said}: vae.encode gets {given[0].dtype}. vae.dtype is {dtype}"
            due = pictures.double() + strength * eps.double()
            judge("what vae.encode gets", given[0], due, tolerance=tolerance)
            off = (given[0] != due.to(dtype)).float().mean() if dtype == torch.bfloat16 else 0
            assert off < 0.05, f"{answer.said}: vae.encode gets less exact numbers than it could. Add in float32 first"
            answer.near(coded(vae, pictures, strength, eps, guided), tolerance=3 * tolerance)
    vae, pictures, _, eps = shown(seed)
    conditions(lab, vae, pictures, 0, eps).near(vae.formula(pictures), because="a strength of 0 is no noise")
    theorems.owes(conditions, lab, vae, pictures, 0.25, eps, truth=coded, other=shown(seed + 7, 3))
    wide = replace(conditions, takes={"pictures": "b 3 h w", "noise": "b 3 h w"}, gives=tensor("b c y x"))
    theorems.batch_is_samples(wide, lab, vae, pictures, 0.25, eps)
    for strength in (-0.1, -1e-6):
        conditions.refuses(lab, vae, pictures, strength, eps, because="a strength is 0 or more")
    for k, other in enumerate((eps[:1], eps[:, :1], eps[..., :1], eps[0], eps[:, :, :2], eps[None])):
        for strength, guided in ((0.25, k % 2 == 0), (0, k % 2 == 1)):  # no path around the check
            because = "noise has the shape of the pictures"
            conditions.refuses(lab, vae, pictures, strength, other, guided=guided, because=because)


denoises = Call("svd_denoise", takes={"x": "b c t h w", "sigma": "b", "picture": "b c h w", "states": "b l d",
                                      "time_ids": "b 3"},
                parameters=("model", "x", "sigma", "picture", "states", "time_ids"),
                gives=tensor("b c t h w", "same"))  # fmt: skip


def asked(seed, batch=2, channels=3, frames=4, height=5, width=6, dtype=torch.float32):
    sigma = uniform(seed + 1, batch, low=-2, high=2).exp()
    x = noise(seed, batch, channels, frames, height, width) * (1 + sigma.reshape(-1, 1, 1, 1, 1))
    given = (x, sigma, noise(seed + 2, batch, channels, height, width), noise(seed + 3, batch, 7, 8),
             torch.stack(facts(seed + 4, batch), dim=1))  # fmt: skip
    return Told().requires_grad_(False), *(value.to(dtype) for value in given)


@exercise("svd_denoise", points=5, hint="c_skip x - c_out v: the network predicts the negative of EDM's F")
def test_denoise(lab, seed, look):
    """x / s² - (sigma / s) v, with x / s beside the picture in every frame, and ln(sigma) / 4"""
    rows = [asked(seed), asked(seed + 10, 1, 2, 3, 4, 2), asked(seed + 20, 3, 4, 1, 3, 5)]
    rows += [(*rows[0][:2], torch.tensor([400.0, 0.001]), *rows[0][3:])]
    mistakes = ways(estimated, {
        "v is added. It is the negative of EDM's F: subtract it": {"sign": 1},
        "x is not divided by s on its way into the network": {"enters": lambda s, g: 1},
        "x is divided by s², not by s, on its way into the network": {"enters": lambda s, g: 1 / s**2},
        "x / s² is missing: part of x passes by the network": {"skip": lambda s, g: 0},
        "x passes by as it is: it is x / s²": {"skip": lambda s, g: 1},
        "x passes by as x / s: it is x / s²": {"skip": lambda s, g: 1 / s},
        "v is multiplied by sigma: it is sigma / s": {"out": lambda s, g: g},
        "v is not multiplied: it is sigma / s": {"out": lambda s, g: 1},
        "v is multiplied by sigma / s²: it is sigma / s": {"out": lambda s, g: g / s**2},
        "that takes v for the noise: x - sigma v": {"skip": lambda s, g: 1, "out": lambda s, g: g},
        "that takes v for the clip itself": {"skip": lambda s, g: 0, "out": lambda s, g: -1},
        "sigma_data is 0.5. Here it is 1": {"data": 0.5},
        "the model is told sigma, not ln(sigma) / 4": {"tells": lambda g: g},
        "the model is told ln(sigma): divide it by 4": {"tells": torch.log},
        "the picture comes before the clip. It comes after": {"first": "picture"},
        "the picture is scaled like the clip. It stays as it is": {"show": lambda p, t, s: everywhere(p, t, s) / s},
        "only the first frame has the picture beside it. Every frame has": {"show": first_only},
        "the model sees no picture": {"show": lambda p, t, s: 0 * everywhere(p, t, s)},
    })  # fmt: skip
    answers = denoises.table(lab, rows, estimated, mistakes, because="it is x / s² - (sigma / s) · v", tolerance=2e-5)
    due, got = estimated(*rows[0])[0, 0, 0], answers[0].value[0, 0, 0]
    look(target=due.flatten(), yours=got.flatten(), about="the estimate of one frame, one channel")


@exercise("svd_denoise", points=3, hint="repeat(picture, 'b c h w -> b t c h w', t=…); torch.cat([…], dim=2)")
def test_denoise_owes(lab, seed):
    """frames before channels, one call; samples apart; float64 stays; gradients flow; wrong sizes are refused"""
    model, x, sigma, picture, states, time_ids = asked(seed)
    answer = denoises(lab, model, x, sigma, picture, states, time_ids)
    calls = list(model.asked)
    assert len(calls) == 1, f"{answer.said} calls the model {len(calls)} times. Once is enough"
    sample, timestep, *rest = calls[0]
    assert sample == (2, 4, 6, 5, 6), (
        f"the model gets a sample {tuple(sample)}. It is (B, T, 2 C, H', W'): (2, 4, 6, 5, 6)"
    )
    assert timestep == (2,), f"the model gets a timestep {tuple(timestep)}. It is (B,)"
    for name, given, due in zip(("states", "time_ids"), rest, (states, time_ids)):
        judge(f"the {name} that the model gets", given, due, tolerance=0, because="they go through unchanged")
    theorems.owes(denoises, lab, *asked(seed), truth=estimated, other=asked(seed + 5, 3), tolerance=2e-5)
    theorems.batch_is_samples(denoises, lab, *asked(seed), tolerance=2e-5)
    exact = asked(seed + 6, dtype=torch.float64)
    denoises(lab, *exact).near(estimated(*exact), tolerance=1e-9, because="float64 stays float64")
    zero = asked(seed + 7)
    zero = *zero[:3], torch.zeros_like(zero[3]), *zero[4:]
    denoises(lab, *zero).near(estimated(*zero), tolerance=2e-5, because="no picture is a picture of zeros")
    names, exact = ("x", "sigma", "picture", "states", "time_ids"), asked(seed + 8, dtype=torch.float64)[1:]
    exact = [value.requires_grad_() for value in exact]
    learner = Told()
    want = torch.autograd.grad(estimated(learner, *exact).sum(), [*exact, learner.gain])
    answer = denoises(lab, learner, *exact)
    answer.gradients(dict(zip((*names, "the model"), want)), of={"the model": learner.gain})
    for wrong in ((x, sigma[:1], picture), (x, sigma[:, None], picture), (x, sigma[0], picture),
                  (x, sigma, picture[:1]), (x, sigma, picture[:, :2]), (x, sigma, picture[..., :5]),
                  (x, sigma, picture[:, :, :4]), (x, sigma, x)):  # fmt: skip
        denoises.refuses(lab, Told(), *wrong, states, time_ids)
    denoises.refuses(lab, Told(), x, sigma, torch.zeros_like(picture)[:1], states, time_ids)


SIGMAS = torch.tensor([9.0, 4.5, 1.6, 0.4, 0.0]), torch.tensor([2.0, 0.004, 0.0]), torch.tensor([80.0, 0.0])
SCALES = torch.tensor([1.0, 2.5, 1.75, 4.0]), torch.tensor([3.0, 0.0, 1.5]), torch.tensor([1.2, 2.0])
SIZES = (2, 3, 4, 5, 6), (3, 2, 3, 4, 2), (1, 4, 2, 3, 3)


@exercise("svd_sample", points=4, hint="for index, (sigma, after) in enumerate(level_pairs(sigmas, x))")
def test_sample(lab, seed, look):
    """Euler's steps from level to level along (x - e) / sigma, without guidance"""
    for k, (size, sigmas) in enumerate(zip(SIZES, SIGMAS)):
        x, denoise = sigmas[0] * noise(seed + k, *size), Guess(guided=False)
        steps, oracle = drawn(lab, denoise, x, sigmas), partial(walked, denoise, x, sigmas)
        compare(steps, oracle, {
            "it walks away from the data: next - sigma is negative": {"sign": -1},
            "the model is asked at the level after the step. Ask before it": {"late": 1},
            "x is scaled by sigmas[0]. It has that size already": {"start": float(sigmas[0])},
        }, f"svd_sample over {sigmas.tolist()}", "a step is x + (next - sigma) · (x - e) / sigma")  # fmt: skip
        if k == 0:
            due, got = (value[0, 0].flatten() for value in (oracle()[-1][0], steps[-1].sample))
            look(target=due, yours=got, about="the last sample, one channel")


@exercise("svd_sample", points=5, hint="without, both = denoise(torch.cat([x, x]), torch.cat([sigma, sigma])).chunk(2)")
def test_guided(lab, seed, look):
    """each frame has its own scale between the half without the picture and the half with it"""
    for k, (size, sigmas, scale) in enumerate(zip(SIZES, SIGMAS, SCALES)):
        x, denoise = sigmas[0] * noise(seed + k, *size), Guess(guided=True)
        exact = scale.double() if k == 1 else scale
        steps, oracle = drawn(lab, denoise, x, sigmas, exact), partial(walked, denoise, x, sigmas, scale)
        compare(steps, oracle, {
            "guidance is not used": {"mix": lambda no, yes, s: yes},
            "the halves are swapped, or it points away from the picture": {"swap": True},
            "all frames get the mean scale": {"over": lambda s: s.mean().expand(len(s))},
            "all frames get the first frame's scale": {"over": lambda s: s[:1].expand(len(s))},
            "all frames get the last frame's scale": {"over": lambda s: s[-1:].expand(len(s))},
            "the scales run backwards": {"over": lambda s: s.flip(0)},
            "a scale of 1 should be the half with the picture: without + scale · (both - without)": {
                "mix": lambda no, yes, s: yes + s * (yes - no)},
            "the half without the picture is not subtracted": {"mix": lambda no, yes, s: no + s * yes},
        }, f"svd_sample with scales {scale.tolist()}", "e = without + scale · (both - without)")  # fmt: skip
        if k == 0:
            due, got = (value[0, 0].flatten() for value in (oracle()[-1][0], steps[-1].sample))
            look(target=due, yours=got, about="the last sample, one channel")


@exercise("svd_sample", points=3, hint="yield each step; .float() on x and on what denoise gives")
def test_sample_owes(lab, seed):
    """one call per step, when it is drawn, of doubled batches; float32 inside; bad levels and scales are refused"""
    size, sigmas = SIZES[1], SIGMAS[0]
    x = sigmas[0] * noise(seed, *size)
    for scale, times in ((None, 1), (SCALES[1], 2), (torch.ones(3), 2)):
        more = () if scale is None else (scale,)
        denoise = Guess(guided=times == 2)
        steps = attempt("svd_sample(…)", lab.svd_sample, denoise, x.clone(), sigmas, *more)
        assert hasattr(steps, "__next__"), "svd_sample returns no iterator: use `yield`"
        assert not denoise.asked, "svd_sample asks the model before a step is drawn: `yield` each step when it is made"
        step = None
        for k, sigma in enumerate(sigmas[:-1]):
            before, step = x if step is None else step.sample, attempt("next(svd_sample(…))", next, steps)
            calls = denoise.asked
            assert len(calls) == k + 1, (
                f"after {k + 1} steps the model has been asked {len(calls)} times: once per step"
            )
            seen, level = calls[-1]
            name = "with guidance denoise" if times == 2 else "denoise"
            assert level.shape == (times * 3,), f"{name} gets a sigma {tuple(level.shape)}. It is ({times * 3},)"
            judge(f"the sigma that {name} gets in step {k}", level, sigma.expand(times * 3))
            judge(f"the x that {name} gets in step {k}", seen, before.repeat(times, 1, 1, 1, 1), tolerance=1e-6)
            assert seen.dtype == level.dtype == torch.float32, (
                f"{name} gets {seen.dtype} and {level.dtype}, not float32"
            )
        low = drawn(lab, Guess(times == 2, torch.bfloat16), x.bfloat16(), sigmas, *more)
        exact = drawn(lab, lambda x, s, n=times: Guess(n == 2, torch.bfloat16)(x, s).float(), x.bfloat16().float(),
                      sigmas, *more)  # fmt: skip
        judge("svd_sample of a model in bfloat16", low[-1].sample, exact[-1].sample, tolerance=1e-6,
              because="x and the estimates come in half precision, and all arithmetic is in float32")  # fmt: skip
        drawn(lab, Guess(times == 2, torch.float64), x.double(), sigmas, *more)
        once, again = (drawn(lab, Guess(times == 2), x, sigmas, *more)[-1].sample for _ in range(2))
        judge("a second run of svd_sample", again, once, because="it draws no noise, and keeps nothing")
    scale = SCALES[1]
    rising = [torch.tensor(levels) for levels in ([1.0, 0.5], [3.0, 1.0, 2.0, 0.0], [1.0, 0.2, 0.3, 0.0], [5.0])]
    bad = [(levels, other) for levels in rising for other in (None, scale)]
    bad += [(sigmas, other) for other in (scale[:2], scale[:1], scale[0], scale[:, None], scale[None], SCALES[0])]
    for levels, other in bad:
        because = f"the scales are (T,), not {tuple(other.shape)}" if levels is sigmas else "levels fall to 0"
        denoise = Guess(other is not None)
        refuses(lab, because, denoise, x, levels, *(() if other is None else (other,)))


ramps = Call("frame_guidance", gives=tensor("t", torch.float32),
             parameters=("min_guidance_scale", "max_guidance_scale", "num_frames"),
             sizes=lambda given: {"t": given["num_frames"]})  # fmt: skip


@exercise("frame_guidance", points=2, hint="torch.linspace(first, last, number)")
def test_ramp(lab, seed, look):
    """even steps from the first frame's scale to the last one's, both of them reached"""
    rows = [(1.0, 3.0, 14), (1.5, 2.5, 5), (1, 3, 25), (3.0, 1.25, 4), (0.5, 6.0, 2)]
    mistakes = ways(ramp, {
        "it ends before the last frame has its scale: T frames have T - 1 steps": {"at": lambda k, n: k / n},
        "the first frame has more than its scale": {"at": lambda k, n: (k + 1) / n},
        "it runs backwards: the first frame has min_guidance_scale": {"at": lambda k, n: 1 - k / (n - 1)},
        "all frames have the largest scale": {"at": lambda k, n: 1},
        "all frames have the same scale": {"at": lambda k, n: 0.5},
        "the steps are not even": {"by": lambda a, b, p: a * (b / a) ** p},
        "the steps are not even: it curves": {"at": lambda k, n: (k / (n - 1)) ** 2},
    })  # fmt: skip
    answers = ramps.table(lab, rows, ramp, mistakes, because="it rises evenly from the first frame to the last")
    look(target=ramp(*rows[0]).float(), yours=answers[0].value, about="the scales of 14 frames")
    ramps(lab, 2.0, 2.0, 3).near([2.0, 2.0, 2.0])
    ramps(lab, -0.5, 1.5, 5).near([-0.5, 0.0, 0.5, 1.0, 1.5])
    ramps(lab, 1.25, 3.0, 1).near([1.25], {"that is max_guidance_scale": [3.0], "that is their mean": [2.125]},
                                  because="a single frame has min_guidance_scale")  # fmt: skip
    ramps(lab, min_guidance_scale=2.0, max_guidance_scale=0.0, num_frames=3).near([2.0, 1.0, 0.0])
    theorems.owes(ramps, lab, 1.0, 2.0, 4, other=(3.0, 1.0, 6), truth=ramp)
    for count in (0, -1):
        ramps.refuses(lab, 1.0, 3.0, count, because="there is no frame")
        ramps.refuses(lab, 2.0, 2.0, count, because="there is no frame")
