"""How `digits-convlstm` is trained: ten frames of Moving MNIST are read, ten are predicted.

    flipbook train digits-convlstm                     stage "main"
    flipbook train digits-convlstm --stage further     from the shipped weights, on new clips

No clip is seen twice. At first the forecaster reads the true frames, later its own: the clock of that schedule is the
number of clips seen, so it needs no memory and a run that was stopped goes on exactly.
"""

from functools import partial

import torch

from common.data.digits import DigitData
from common.evaluation.prediction import error_per_frame
from common.models.convlstm import PRESETS, ConvLSTMPredictor, prediction_loss
from common.show import strips
from common.training import Recipe, Settings, Stage, muon

NUM_FRAMES = {"ci": 8, "cpu": 20, "gpu": 20}  # of a clip: half of them are read, half are predicted
NUM_SCHEDULED = 10_554  # clips over which the truth is faded out: the first quarter of them
PAST_WEIGHT = 0.5  # of what is expected while the past is read: a lesson in motion, and not the task


def truth_probability(num_seen: torch.Tensor, num_scheduled: int) -> torch.Tensor:
    """With which a true frame is read: from 1 at the first clip down to 0, in a straight line, then 0.

    Args:
        num_seen: clips before this one, `(B,)`.
        num_scheduled: clips until it is 0; 0 for never a true frame.
    """
    return (1 - num_seen / max(1, num_scheduled)).clamp(min=0) if num_scheduled else torch.zeros(len(num_seen))


def compute_loss(model, batch, noise, num_scheduled=NUM_SCHEDULED):
    """Cross-entropy of the future, and of what was expected while the past was read.

    Args:
        model: the predictor.
        batch: clips; the first half is the past.
        noise: of the coins.
        num_scheduled: clips over which the truth is faded out.
    """
    clips = batch.clips()
    past, future = clips.chunk(2, dim=2)  # (B, 1, T / 2, H, W) each
    num_future = future.shape[2]
    num_seen = torch.tensor(noise.indices, device=clips.device)
    probability = truth_probability(num_seen, num_scheduled)  # (B,)
    coins = noise.uniform("truth", (num_future - 1,))
    logits = model(past, num_future, future, probability, coins).logits
    parts = {
        "future": prediction_loss(logits[:, :, -num_future:], future),
        "past": prediction_loss(logits[:, :, :-num_future], past[:, :, 1:]),
    }
    return {"loss": parts["future"] + PAST_WEIGHT * parts["past"], **parts}


def measure(model, preset):
    """The benchmark's squared error on new clips of the training digits: the test set is for the card alone."""
    past, future = _new_clips(preset, range(64))
    errors = error_per_frame(model(past, future.shape[2]).sample, future, data_range=2.0)
    return {"mse": float(errors.mean()), "mse_first": float(errors[0]), "mse_last": float(errors[-1])}


def sheet(model, preset):
    """Two clips never trained on: what came, and below it what was predicted from the first half."""
    past, future = _new_clips(preset, range(2))
    predicted = torch.cat([past, model(past, future.shape[2]).sample], dim=2)
    rows = {}
    for k, (true, guess) in enumerate(zip(torch.cat([past, future], dim=2), predicted)):
        rows |= {f"clip {k}": true, f"clip {k}, second half predicted": guess}
    return strips(rows, num_frames=NUM_FRAMES[preset])


def _new_clips(preset, indices):
    clips = DigitData(seed=1, num_frames=NUM_FRAMES[preset]).batch(indices).clips()
    return clips.chunk(2, dim=2)


COMMON = {"batch_size": 8, "betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.998}
RECIPE = Recipe(
    name="digits-convlstm",
    build_model=lambda preset: ConvLSTMPredictor(**PRESETS[preset]),
    data=lambda preset: DigitData(num_frames=NUM_FRAMES[preset]),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=("patches_out",)),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=40, learning_rate=5e-3, warmup_steps=5, decay="linear", **COMMON),
                "cpu": Settings(
                    steps=5277,
                    learning_rate=5e-3,
                    warmup_steps=50,
                    decay="linear",
                    decay_from=0.3,
                    measure_every=200,
                    sheet_every=1000,
                    checkpoint_every=100,
                    **COMMON,
                ),
            }
        ),
        "further": Stage(
            {
                "ci": Settings(steps=20, learning_rate=5e-3, decay="linear", first_sample=10**6, **COMMON),
                "cpu": Settings(
                    steps=5277,
                    learning_rate=5e-3,
                    warmup_steps=50,
                    decay="linear",
                    decay_from=0.3,
                    first_sample=10**6,
                    measure_every=200,
                    sheet_every=1000,
                    checkpoint_every=100,
                    **COMMON,
                ),
            },
            start="digits-convlstm",
        ),
    },
    sheet=sheet,
    measure=measure,
)
