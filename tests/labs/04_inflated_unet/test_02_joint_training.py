"""Grader of lab 04.2, Joint image and video training.

Oracles: loops over frames, and gradient descent written out in double precision.
"""

import pytest
import torch

from common.course.graders import Call, number, numbers, outcomes, record, tensor, theorems, values

exercise = pytest.mark.exercise
OUTCOMES = outcomes.load(__file__)

mean = Call("mean_frame", takes={"clip": "c t h w"}, gives=tensor("c 1 h w", "same"), fresh=True)
still = Call("remove_mean", takes={"clip": "c t h w"}, gives=tensor("c t h w", "same"), fresh=True)
fit = Call("fit_gain", takes={"x": "...", "target": "..."},
           gives=record("tuple", gain=number(), losses=numbers("steps")),
           sizes=lambda given: {"steps": given["num_steps"]})  # fmt: skip


def slow_mean(clip):
    """Oracle: one frame after the other, in double precision."""
    total = sum(clip[:, t].double() for t in range(clip.shape[1]))
    return (total / clip.shape[1])[:, None]


@exercise("mean_frame", points=2, hint="clip.mean(dim=1, keepdim=True)")
def test_mean_over_time(lab, seed, look):
    """the mean of all frames, channel by channel, as a clip of one frame"""
    clips = [values.noise(seed + k, 3, num_frames, 5, 6) for k, num_frames in enumerate((4, 1, 7))]
    mistakes = {
        "that is the sum of the frames. The mean is asked for": lambda clip: slow_mean(clip) * clip.shape[1],
        "that is the first frame": lambda clip: clip[:, :1],
        "that is the middle frame": lambda clip: clip[:, clip.shape[1] // 2][:, None],
        "that is the median": lambda clip: clip.median(dim=1, keepdim=True).values,
    }
    answers = mean.table(lab, [(clip,) for clip in clips], slow_mean, mistakes)
    look(target=slow_mean(clips[0]).float(), yours=answers[0].value)
    theorems.owes(mean, lab, clips[0], truth=slow_mean, dtypes=(torch.float64,), meta=True)


@exercise("mean_frame", points=1, hint="if clip.ndim != 4: raise ValueError(…)")
def test_mean_refuses_other_axes(lab):
    """what is not (C, T, H, W) is a ValueError"""
    for size in ((4, 5, 6), (2, 3, 4, 5, 6), (3,)):
        mean.refuses(lab, torch.zeros(size))


@exercise("remove_mean", points=2, needs=("mean_frame",), hint="clip - mean_frame(clip)")
def test_what_moves(lab, seed):
    """the clip minus its mean frame: a still clip becomes 0, and the mean over time is 0"""
    clip = values.noise(seed, 2, 5, 4, 6)
    mistakes = {
        "the mean over everything is removed. Each pixel has its own mean over time": lambda c: c - c.double().mean(),
        "the first frame is removed, and the mean frame is asked for": lambda c: c - c[:, :1],
        "that is the mean frame minus the clip: the sign is turned around": lambda c: slow_mean(c) - c,
    }
    still.table(lab, [(clip,), (clip[:, :3] + 1,)], lambda c: c.double() - slow_mean(c), mistakes)
    unmoving = clip[:, :1].expand(2, 5, 4, 6).clone()
    still(lab, unmoving).near(torch.zeros_like(unmoving), because="a still clip has nothing that moves")
    theorems.owes(still, lab, clip, dtypes=(torch.float64,))


def slow_fit(x, target, num_steps, learning_rate=0.5):
    """Oracle: the same descent, in double precision."""
    x, target, gain, losses = x.double(), target.double(), 0.0, []
    for _ in range(num_steps):
        losses.append(((gain * x - target) ** 2).mean().item())
        gain -= learning_rate * 2 * ((gain * x - target) * x).mean().item()
    return gain, losses


@exercise("fit_gain", points=3, hint="gain -= learning_rate * 2 * (error * x).mean(), after the loss is kept")
def test_descent_step_by_step(lab, seed, look):
    """the gain after the last step, and the loss before each step"""
    x = values.noise(seed, 4, 5)
    for num_steps, learning_rate, true_gain in ((1, 0.3, 2.0), (3, 0.2, -1.5), (8, 0.5, 0.7)):
        gain, losses = slow_fit(x, true_gain * x, num_steps, learning_rate)
        answer = fit(lab, x, true_gain * x, num_steps, learning_rate=learning_rate)
        if num_steps > 1:
            look(target=losses, yours=answer["losses"].value)
        late = slow_fit(x, true_gain * x, num_steps + 1, learning_rate)[1][1:]
        answer["losses"].near(losses, {"these are the losses after each step": late}, tolerance=1e-4)
        answer["gain"].near(gain, {"the factor 2 of the derivative is missing":
                                   slow_fit(x, true_gain * x, num_steps, learning_rate / 2)[0]}, tolerance=1e-4)  # fmt: skip


@exercise("fit_gain", points=2, hint="The loss must fall: is the derivative subtracted?")
def test_fit_learns(lab, seed):
    """after 40 steps the gain of a faded clip is found"""
    clip = values.noise(seed, 3, 4, 5, 6)
    gain, _ = fit(lab, 0.4 * clip, clip, 40, learning_rate=1.0)
    OUTCOMES["fit_learns"].judge("fit_gain on a clip faded to 0.4", abs(float(gain) - 2.5))
