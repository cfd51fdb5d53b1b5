"""How `arcade-rooms-fast` is made: `arcade-rooms` distilled to one step, on pasts that are partly the student's own.

    flipbook train arcade-rooms-fast                     stage "main": a constant learning rate
    flipbook train arcade-rooms-fast --stage settle      from there: a lower one. This one ships
    flipbook train arcade-rooms-fast --stage unshared    as "main", but teacher and student get different noise
    flipbook train arcade-rooms-fast --stage real        as "main", but every past is real

One step of the teacher is right wherever the next frame follows from the past, and the mean of all rooms behind a door.
So behind a door the student learns what the teacher comes to in several steps from the same noise. Elsewhere it learns
the true frame, or one step of the teacher where the past is the student's own, since such a past has no true next
frame. The last two stages are the controls of lab 09.5.
"""

from functools import partial

from common.data.arcade import arcade_recording
from common.diffusion.consistency import beside_truth, consistency_loss
from common.models.world_unet import PRESETS, WorldUNet
from common.streaming.self_rollout import self_rollout
from common.streaming.world import corrupt_context, denoise, world_sigmas
from common.training import Recipe, Settings, Stage, muon
from common.zoo.arcade_rooms.recipe import CONTEXT, ENDS, SIGMA_DATA
from common.zoo.arcade_rooms_fast.measures import behind_doors, door_windows
from common.zoo.arcade_rooms_fast.teacher import TEACHER, TEACHER_STEPS, load_teacher
from common.zoo.arcade_rooms_fast.windows import DoorWindows, opens
from common.zoo.arcade_sheet import play_and_dream

MAX_LEVEL = 0.3  # of the noise on the past
OWN_PART = 0.25  # of the samples: the past is the student's own
SETTLED = 4.0  # what a frame that follows from the past counts; one behind a door counts 1
NUM_FRAMES = {"ci": 2_000, "cpu": 100_000, "gpu": 400_000}


def compute_loss(model, batch, noise, own_part=OWN_PART, shared=True):
    """The distance to the teacher's way, one step's or several steps', or to the true frame.

    Args:
        model: the student, a `WorldUNet`.
        batch: windows of 2 CONTEXT + 1 frames.
        noise: of everything.
        own_part: of the samples: the four frames before the last are made by the student.
        shared: whether teacher and student begin with the same noise.
    """
    clip, behind = batch.clips(), opens(batch)
    own = noise.uniform("own") < own_part
    eps = noise.normal("own past", clip[:, :, CONTEXT:-1].shape[1:])
    past = self_rollout(model, clip[:, :, :-1], batch.actions[:, :-1], eps, own)
    level = MAX_LEVEL * noise.uniform("context level")
    past = corrupt_context(past, level, noise.normal("context", past.shape[1:]))
    sigma_max, due = model.config.sigma_max, clip[:, :, -1]
    x = sigma_max * noise.normal("eps", due.shape[1:])
    given = {"past": past, "actions": batch.actions[:, -CONTEXT:], "context_noise": level}
    told = x if shared else sigma_max * noise.normal("other", due.shape[1:])
    parts = {
        "behind": (behind, TEACHER_STEPS),
        "own": (own & ~behind, 1),
        "real": (~own & ~behind, 0),
    }
    found, total = {}, x.new_zeros(())
    for name, (chosen, num_steps) in parts.items():
        if not chosen.any():
            found[name] = x.new_zeros(())
            continue
        here = {key: value[chosen] for key, value in given.items()}
        student, teacher = partial(denoise, model, **here), partial(denoise, load_teacher(), **here)
        if num_steps:
            loss = consistency_between(student, teacher, x[chosen], told[chosen], num_steps, sigma_max)
        else:
            estimate = student(x[chosen], x.new_full((len(x[chosen]),), sigma_max))
            loss = beside_truth(estimate, due[chosen])
        found[name] = loss.mean()
        total = total + (1.0 if name == "behind" else SETTLED) * loss.sum() / len(x)
    return {"loss": total} | {name: value.detach() for name, value in found.items()}


def consistency_between(student, teacher, x, told, num_steps, sigma_max):
    """`consistency_loss` down to level 0; where `told` is another noise than x, the teacher begins there."""
    return consistency_loss(
        lambda _, sigma: student(x, sigma), student, teacher, told, world_sigmas(num_steps, sigma_max)
    )


def measure(model, preset):
    """Behind doors and elsewhere, on test plays."""
    found = behind_doors(model, door_windows({"ci": 2, "cpu": 48, "gpu": 96}[preset]))
    return {f"door/{name}": value for name, value in found.items()}


def sheet(model, preset):
    """Two test plays, and below each a dream with the same keys."""
    return play_and_dream(model, "rooms", {"ci": 8, "cpu": 64, "gpu": 64}[preset])


SMALL = {"batch_size": 4, "steps": 4, "warmup_steps": 2, "learning_rate": 1e-3, "decay": "none", "betas": (0.9, 0.95)}
USUAL = {"batch_size": 32, "learning_rate": 2e-3, "warmup_steps": 20, "betas": (0.9, 0.95), "weight_decay": 0.01,
         "ema_decay": 0.98, "precision": "auto", "checkpoint_every": 20, "measure_every": 40}  # fmt: skip


def settings(steps, **more):
    """A stage's settings; the preset gpu has ten times the steps."""
    return {
        "ci": Settings(**SMALL | more),
        "cpu": Settings(steps=steps, **USUAL | more),
        "gpu": Settings(steps=10 * steps, **USUAL | more),
    }


def windows(preset):
    """Windows long enough for four real frames, four of the student's own, and the target."""
    return DoorWindows(arcade_recording("rooms", NUM_FRAMES[preset]), 2 * CONTEXT + 1)


RECIPE = Recipe(
    name="arcade-rooms-fast",
    build_model=lambda preset: WorldUNet(context=CONTEXT, sigma_data=SIGMA_DATA, **PRESETS["cpu"]),
    data=windows,
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(settings(80, decay="none"), start=TEACHER),
        "settle": Stage(
            settings(80, decay="none", learning_rate=1e-3, ema_decay=0.99, first_sample=10**7), start="main"
        ),
        "unshared": Stage(settings(80, decay="none"), start=TEACHER, compute_loss=partial(compute_loss, shared=False)),
        "real": Stage(settings(80, decay="none"), start=TEACHER, compute_loss=partial(compute_loss, own_part=0.0)),
    },
    sheet=sheet,
    measure=measure,
)
