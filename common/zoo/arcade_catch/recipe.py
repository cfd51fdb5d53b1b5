"""How `arcade-catch` is trained: the next frame of `catch` from the last two and the keys, by EDM.

    flipbook train arcade-catch                     stage "main": a constant learning rate
    flipbook train arcade-catch --stage settle      from there: a falling one, and windows in which things happen
    flipbook train arcade-catch --stage polish      once more, on new windows

The recipe of `arcade-rooms` in small. One frame of `catch` hides the ball's drift and two show it, so the past has two
frames. It is corrupted by noise whose level the model is told (GameNGen). Five samples in a hundred are not told any
key: they get the null action.
"""

from functools import partial

import torch

from common.data.arcade import arcade_recording, transitions
from common.diffusion.losses import edm_loss
from common.evaluation.arcade_reader import read_catch
from common.models.world_unet import WorldUNet
from common.streaming.world import corrupt_context, denoise, rollout, sample_next
from common.training import Recipe, Settings, Stage, muon
from common.zoo.arcade_catch.windows import catch_windows
from common.zoo.arcade_sheet import play_and_dream

CONTEXT = 2  # frames of the past
SIGMA_DATA = 0.5
SIGMA_MEAN, SIGMA_STD = 0.0, 1.4  # of ln(sigma) in training
MAX_LEVEL = 0.3  # of the noise on the past
NO_ACTION_PART = 0.05  # of the samples: the model is not told any key
MODEL = {"num_actions": 3, "context": CONTEXT, "height": 32, "width": 32, "sigma_data": SIGMA_DATA}
SIZES = {
    "ci": {"channels": [16, 24, 32], "num_blocks": [1, 1, 1], "cond_channels": 32},
    "cpu": {"channels": [24, 48, 64], "num_blocks": [1, 1, 2], "cond_channels": 64},
}
SIZES["gpu"] = SIZES["cpu"]
NUM_FRAMES = {"ci": 2_000, "cpu": 200_000, "gpu": 2_000_000}


def compute_loss(model, batch, noise):
    """EDM's loss of the next frame.

    Args:
        model: a `WorldUNet`.
        batch: windows of plays, `CONTEXT` + 1 frames each.
        noise: of everything.
    """
    past, actions, target = transitions(batch.clips(), batch.actions, CONTEXT)
    actions = model.actions.drop(actions, noise.uniform("action") < NO_ACTION_PART)
    level = MAX_LEVEL * noise.uniform("context level")  # (B,)
    past = corrupt_context(past, level, noise.normal("context", past.shape[1:]))
    sigma = (SIGMA_MEAN + SIGMA_STD * noise.normal("sigma")).exp()
    estimate = partial(denoise, model, past=past, actions=actions, context_noise=level)
    loss = edm_loss(estimate, target, noise.normal("eps", target.shape[1:]), sigma, model.config.sigma_data)  # (B,)
    return {"loss": loss.mean()}


def measure(model, preset):
    """Of test plays: whether paddle and ball are where they should be, and whether one ball is there after a dream."""
    num_games, num_frames = {"ci": (2, 8), "cpu": (16, 100), "gpu": (16, 200)}[preset]
    games = arcade_recording("catch", 500 * num_games, "test", window=CONTEXT + num_frames)
    batch = games.windows([(number, 0) for number in range(num_games)], CONTEXT + num_frames)
    clip, keys = batch.clips(), batch.actions
    past, actions, target = transitions(clip, keys, CONTEXT)
    made = sample_next(model, past, actions, 2, generator=torch.Generator(model.device).manual_seed(0))
    seen, due = read_catch(made.transpose(0, 1)), read_catch(target.transpose(0, 1))
    found = {
        "paddle": sum(a.paddle == b.paddle for a, b in zip(seen, due)) / len(due),
        "ball": sum(a.ball == b.ball for a, b in zip(seen, due)) / len(due),
    }
    noise = torch.Generator(model.device).manual_seed(0)
    *_, end = rollout(model, clip[:, :, :CONTEXT], keys, generator=noise)
    found["present"] = sum(r.num_balls == 1 and r.paddle is not None for r in read_catch(end.transpose(0, 1)))
    return found | {"present": found["present"] / num_games}


def sheet(model, preset):
    """Two test plays, and below each a dream with the same keys."""
    return play_and_dream(model, "catch", {"ci": 8, "cpu": 64, "gpu": 64}[preset])


# Adam trains the first and the last layers, Muon the rest.
ENDS = ("frames_in", "frame_out", "actions", "levels.0")
COMMON = {"learning_rate": 5e-3, "betas": (0.9, 0.95), "weight_decay": 0.01}
SMALL = COMMON | {"batch_size": 8, "warmup_steps": 5}
LARGE = COMMON | {"batch_size": 128, "warmup_steps": 100, "precision": "auto"}
USUAL = LARGE | {"batch_size": 32, "measure_every": 500, "checkpoint_every": 100}


def windows(preset):
    """Windows in which things happen."""
    return catch_windows(NUM_FRAMES[preset], CONTEXT + 1)


def falling(cpu_steps, learning_rate, first_sample):
    """A stage's settings with a learning rate that falls to zero, on samples of its own."""
    more = {"learning_rate": learning_rate, "decay": "linear", "first_sample": first_sample}
    return {
        "ci": Settings(steps=10, **SMALL | more),
        "cpu": Settings(steps=cpu_steps, **USUAL | more),
        "gpu": Settings(steps=4 * cpu_steps, **LARGE | more),
    }


RECIPE = Recipe(
    name="arcade-catch",
    build_model=lambda preset: WorldUNet(**MODEL, **SIZES[preset]),
    data=lambda preset: arcade_recording("catch", NUM_FRAMES[preset], window=CONTEXT + 1),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=20, decay="none", **SMALL),
                "cpu": Settings(steps=1000, decay="none", **USUAL),
                "gpu": Settings(steps=4000, decay="none", **LARGE),
            }
        ),
        "settle": Stage(falling(1200, 5e-3, 10**7), start="main", data=windows),
        "polish": Stage(falling(2000, 3e-3, 2 * 10**7), start="settle", data=windows),
    },
    sheet=sheet,
    measure=measure,
)
