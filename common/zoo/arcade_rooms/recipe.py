"""How `arcade-rooms` is trained: the next frame of `rooms` from the last four and the keys, by EDM.

    flipbook train arcade-rooms                     stage "main": a constant learning rate
    flipbook train arcade-rooms --stage settle      from there: a falling one, more noise on the frame, less on the past
    flipbook train arcade-rooms --stage anneal      from there: it falls further
    flipbook train arcade-rooms --stage further     from there: a higher rate that falls to zero
    flipbook train arcade-rooms --stage squared     from there: the same network by squared error, to compare with
    flipbook train arcade-rooms --stage clean       from there: no noise on the past any more, to compare with

The past is always corrupted by noise whose level the model is told (GameNGen). Stage "own" takes the place of "anneal"
and gives a quarter of the samples a past that the model made itself, four frames in a row, as at play. It did
harm, after `settle` as after `further`: the card has the numbers.
"""

from functools import partial

import torch

from common.data.arcade import arcade_recording
from common.diffusion.losses import edm_loss
from common.evaluation.arcade_reader import read_rooms
from common.evaluation.image import psnr
from common.models.world_unet import PRESETS, WorldUNet
from common.streaming.world import corrupt_context, denoise, push, rollout, sample_next
from common.training import Recipe, Settings, Stage, muon
from common.zoo.arcade_rooms.windows import rooms_windows
from common.zoo.arcade_sheet import play_and_dream

CONTEXT = 4  # frames of the past
SIGMA_DATA = 0.44  # standard deviation of the pixels of `rooms`
SIGMA_STD = 1.4  # of ln(sigma) in training
NO_ACTION_PART = 0.05  # of the samples: the model is not told any key
OWN_STEPS = 1  # in which the model makes a past of its own: blurred, where it is not sure
NUM_FRAMES = {"ci": 2_000, "cpu": 400_000, "gpu": 4_000_000}


def compute_loss(model, batch, noise, sigma_mean=0.5, max_level=0.3, own_part=0.0):
    """EDM's loss of the next frame.

    Args:
        model: a `WorldUNet`.
        batch: windows; the last frame is the target.
        noise: of everything.
        sigma_mean: of ln(sigma). Sampling in few steps begins at sigma = 5, and a mean of 0.5 asks there more often.
        max_level: of the noise on the past; levels are drawn evenly from 0 to it.
        own_part: of the samples: the four frames before the last are made by the model, from four before them.
    """
    clip, actions = batch.clips(), batch.actions
    if own_part:
        clip = with_own_frames(model, clip, actions, noise, noise.uniform("own") < own_part)
    past, target, actions, level = given(model, clip, actions, noise, max_level)
    sigma = (sigma_mean + SIGMA_STD * noise.normal("sigma")).exp()
    estimate = partial(denoise, model, past=past, actions=actions, context_noise=level)
    loss = edm_loss(estimate, target, noise.normal("eps", target.shape[1:]), sigma, model.config.sigma_data)  # (B,)
    return {"loss": loss.mean()}


def given(model, clip, actions, noise, max_level):
    """What there is to learn from: the corrupted past, the next frame, the actions, and the level of the noise."""
    past, target, actions = clip[:, :, -CONTEXT - 1 : -1], clip[:, :, -1], actions[:, -CONTEXT:]
    untold = noise.uniform("action") < NO_ACTION_PART  # (B,)
    actions = actions.masked_fill(untold[:, None], model.config.num_actions)
    level = max_level * noise.uniform("context level")  # (B,)
    return corrupt_context(past, level, noise.normal("context", past.shape[1:])), target, actions, level


def squared_loss(model, batch, noise, max_level=0.3):
    """Squared error in place of diffusion: the network answers to an empty sample, so it can only learn the mean.

    Arguments as for `compute_loss`. Such weights are sampled by `study.squared_error`.
    """
    past, target, actions, level = given(model, batch.clips(), batch.actions, noise, max_level)
    sigma = torch.full_like(level, model.config.sigma_max)
    estimate = denoise(model, torch.zeros_like(target), sigma, past, actions, level)
    return {"loss": (estimate - target).square().mean() / model.config.sigma_data**2}


@torch.no_grad()
def with_own_frames(model, clip, actions, noise, chosen):
    """The clips, with the frames before the last made by the model itself in those that are chosen.

    Args:
        model: a `WorldUNet`.
        clip: `(B, 3, 2 CONTEXT + 1, H, W)`.
        actions: `(B, 2 CONTEXT)`.
        noise: of the frames that are made.
        chosen: bool `(B,)`.
    """
    past, clip, own = clip[chosen][:, :, :CONTEXT], clip.clone(), []
    for k in range(CONTEXT if len(past) else 0):
        window = actions[chosen][:, k : k + CONTEXT]
        eps = noise.normal(f"own {k}", past.shape[1:2] + past.shape[3:])[chosen]
        own.append(sample_next(model, past, window, OWN_STEPS, eps=eps))
        past = push(past, own[-1])
    if own:
        clip[chosen, :, CONTEXT:-1] = torch.stack(own, dim=2)
    return clip


def measure(model, preset):
    """Of test plays: PSNR and the player's pixel from a real past; and after some own frames, whether one is there."""
    num_games, num_frames = {"ci": (2, 8), "cpu": (8, 100), "gpu": (16, 200)}[preset]
    games = arcade_recording("rooms", 500 * num_games, "test")
    plays = [games.play(number) for number in range(num_games)]
    clip = torch.cat([play.clips() for play in plays])[:, :, : CONTEXT + num_frames]
    actions = torch.cat([play.actions for play in plays])[:, : CONTEXT + num_frames - 1]
    found, places = {}, range(0, num_frames, 8)
    windows = torch.cat([clip[:, :, k : k + CONTEXT] for k in places])
    pressed = torch.cat([actions[:, k : k + CONTEXT] for k in places])
    due = torch.cat([clip[:, :, k + CONTEXT] for k in places]).transpose(0, 1)  # (3, N, H, W)
    for num_steps in (1, 2):
        noise = torch.Generator(model.device).manual_seed(0)
        made = sample_next(model, windows, pressed, num_steps, generator=noise).transpose(0, 1)
        found[f"psnr_{num_steps}"] = float(psnr(made[None], due[None], data_range=2).mean())
        same = [a.player == b.player and a.num_players == 1 for a, b in zip(read_rooms(made), read_rooms(due))]
        found[f"exact_{num_steps}"] = sum(same) / len(same)
    noise = torch.Generator(model.device).manual_seed(0)
    *_, end = rollout(model, clip[:, :, :CONTEXT], actions, generator=noise)
    found["present"] = sum(r.num_players == 1 for r in read_rooms(end.transpose(0, 1))) / num_games
    return found


def sheet(model, preset):
    """Two test plays, and below each a dream with the same keys."""
    return play_and_dream(model, "rooms", {"ci": 8, "cpu": 64, "gpu": 64}[preset])


# Adam trains the first and the last layers, Muon the rest.
ENDS = ("frames_in", "frame_out", "actions", "levels.0")
COMMON = {"batch_size": 32, "betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.999, "precision": "auto"}
SMALL = COMMON | {"batch_size": 8, "precision": "fp32"}
LOOKS = {"measure_every": 1000, "sheet_every": 1000, "checkpoint_every": 50}


def own_windows(preset):
    """Windows long enough for four real frames, four of the model's own and the target."""
    return rooms_windows(NUM_FRAMES[preset], 2 * CONTEXT + 1, num_own=CONTEXT)


def settings(cpu_steps, learning_rate, first_sample, **more):
    """A stage's settings with a falling learning rate; the preset gpu has ten times the steps and larger batches."""
    more |= {"learning_rate": learning_rate, "decay": "linear", "first_sample": first_sample}
    return {
        "ci": Settings(steps=10, **SMALL | more),
        "cpu": Settings(steps=cpu_steps, warmup_steps=20, **COMMON | LOOKS | more),
        "gpu": Settings(steps=10 * cpu_steps, warmup_steps=100, **COMMON | LOOKS | {"batch_size": 128} | more),
    }


RECIPE = Recipe(
    name="arcade-rooms",
    build_model=lambda preset: WorldUNet(context=CONTEXT, sigma_data=SIGMA_DATA, **PRESETS[preset]),
    data=lambda preset: rooms_windows(NUM_FRAMES[preset], CONTEXT + 1),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=20, learning_rate=5e-3, warmup_steps=5, decay="none", **SMALL),
                "cpu": Settings(steps=600, learning_rate=5e-3, warmup_steps=100, decay="none", measure_every=1000,
                                checkpoint_every=100, **COMMON),
                "gpu": Settings(steps=20_000, learning_rate=5e-3, warmup_steps=500, decay="none", measure_every=2000,
                                sheet_every=2000, checkpoint_every=500, **COMMON | {"batch_size": 128}),
            },
            compute_loss=partial(compute_loss, sigma_mean=0.0, max_level=0.5),
        ),
        "settle": Stage(settings(400, 3e-3, 10**7, final_learning_rate=0.63), start="main"),
        "anneal": Stage(settings(250, 1.9e-3, 3 * 10**7, final_learning_rate=0.18), start="settle"),
        "own": Stage(settings(300, 2e-3, 2 * 10**7), start="settle", data=own_windows,
                     compute_loss=partial(compute_loss, own_part=0.25)),
        "further": Stage(settings(6000, 3e-3, 4 * 10**7), start="anneal"),
        "squared": Stage(settings(600, 2e-3, 5 * 10**7), start="arcade-rooms", compute_loss=squared_loss),
        "clean": Stage(settings(600, 2e-3, 5 * 10**7), start="arcade-rooms",
                       compute_loss=partial(compute_loss, max_level=0.0)),
    },
    sheet=sheet,
    measure=measure,
)  # fmt: skip
