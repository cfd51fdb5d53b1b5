"""How `rooms-latent-actions` is trained: the next frame of `rooms` from two frames and a code, without any keys.

    flipbook train rooms-latent-actions --stage past     the decoder alone learns what the past tells
    flipbook train rooms-latent-actions                  stage "main", from there, with codes: what ships
    flipbook train rooms-latent-actions --stage slime    the same (after `slime_past`) on videos with slimes, to compare

The player of the videos presses a new random key in every frame, so no frame before tells which one comes. The codebook
follows the encoder by running means, and dead codes are put on vectors of the batch, drawn by the samples' own noise.
Training sees crops in which something changes. `free`, `plain` and `plain_free` have the recipes of the controls.
"""

from functools import partial

from common.data.arcade.fresh_keys import fresh_recording
from common.models.latent_action import PRESETS, LatentActionModel, latent_action_loss, past_loss
from common.training import Recipe, Settings, Stage, muon
from common.zoo.rooms_latent_actions.crops import ChangeCrops
from common.zoo.rooms_latent_actions.measures import measure_codes, measure_transfer
from common.zoo.rooms_latent_actions.steps import fresh_steps

BETA = 0.25  # weight of the commitment
NUM_FRAMES = {"ci": 1_920, "cpu": 64_000, "gpu": 640_000}


def compute_loss(model, batch, noise):
    """The loss with codes and that of the past alone, after which the codebook takes a step of its own.

    Args:
        model: a `LatentActionModel`.
        batch: windows of three frames. Their actions are not looked at.
        noise: the order in which vectors of the batch are offered to dead codes.
    """
    clip = batch.clips()
    found = latent_action_loss(model, clip, BETA)
    told = {"loss": found.loss, "missed": found.missed, "commitment": found.commitment}
    if model.config.foresight:
        told["alone"] = past_loss(model, clip)
        told["loss"] = found.loss + told["alone"]
    if model.quantizer is not None and model.training:
        candidates = found.z.detach()[noise.uniform("revival").argsort()]
        revived = model.quantizer.update(found.z, found.indices, candidates)
        told["revived"] = found.loss.new_tensor(revived)
    return told


def compute_past_loss(model, batch, noise):
    """The loss of stage "past": no code. The encoder's gradient is 0 and not missing, since checkpoints hold all."""
    return {"loss": past_loss(model, batch.clips()) + 0 * sum(parameter.sum() for parameter in model.parameters())}


def measure(model, preset):
    """Bits of the keys in the codes of test steps, and the codes at work in other pasts."""
    count, num_others = {"ci": (32, 4), "cpu": (800, 128), "gpu": (4000, 512)}[preset]
    steps = fresh_steps(count, with_slime=False)
    return measure_codes(model, steps) | measure_transfer(model, steps, num_others)


ENDS = ("frames_in", "past_in", "code_in", "code_out", "change_out")  # what Adam trains; Muon trains the rest
COMMON = {"learning_rate": 5e-3, "betas": (0.9, 0.95), "weight_decay": 0.01, "decay": "linear", "decay_from": 0.5}
LOOKS = {"precision": "auto", "checkpoint_every": 50}


def settings(cpu_steps, **more):
    """A stage's settings; the preset gpu has ten times the steps and larger batches."""
    more = COMMON | more
    return {
        "ci": Settings(steps=10, batch_size=8, warmup_steps=2, **more),
        "cpu": Settings(steps=cpu_steps, batch_size=32, warmup_steps=30, ema_decay=0.99, **LOOKS | more),
        "gpu": Settings(steps=10 * cpu_steps, batch_size=128, warmup_steps=100, **LOOKS | more),
    }


def video(preset, with_slime=False):
    """Crops of plays with fresh keys. No one looks at the keys."""
    return ChangeCrops(fresh_recording(NUM_FRAMES[preset], with_slime=with_slime))


slimes = partial(video, with_slime=True)
RECIPE = Recipe(
    name="rooms-latent-actions",
    build_model=lambda preset: LatentActionModel(**PRESETS[preset]),
    data=video,
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "past": Stage(settings(80, decay="none"), compute_loss=compute_past_loss),
        "main": Stage(settings(900, first_sample=10**6), start="past"),
        "slime_past": Stage(settings(80, decay="none"), data=slimes, compute_loss=compute_past_loss),
        "slime": Stage(settings(900, first_sample=10**6), start="slime_past", data=slimes),
    },
    measure=measure,
)
