"""How good `digits-convlstm` is: ten frames seen, ten predicted, on clips of the fixed test set.

No digit of the test set is in the training data. Beside it, on the same clips, predictors that know little.
"""

from collections.abc import Callable

import torch

from common.data.digits import DigitData
from common.evaluation.prediction import Prediction, constant_velocity, copy_last, mean_of_past
from common.zoo.settings import pick_setting

SETTINGS = {"small": 100, "full": 2_000}  # clips, the first ones of the test set, which has 10,000
NUM_PAST, NUM_FUTURE = 10, 10
BATCH = 50
NUM_AVERAGED = 500  # training clips, for the mean of all their frames
BASELINES = {"last_frame": copy_last, "mean_frame": mean_of_past, "constant_velocity": constant_velocity}


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: `(past, num_future)` -> an output with the predicted frames as `.sample`, all in [-1, 1].
        setting: "small" or "full".
        progress: called with the part that is done.

    Returns:
        As `measure_clips`, on the first clips of the test set, 100 or 2,000.

    Raises:
        ValueError: there is no such setting.
    """
    return measure_clips(model, pick_setting(SETTINGS, setting), progress)


@torch.no_grad()
def measure_clips(model, num_clips: int, progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """The measures on the first clips of the test set.

    Returns:
        `mse`, `mae`, `ssim`, `psnr` by the benchmark's definitions (`Prediction`); `mse_frame_01` and so on, of each
        predicted frame; of each baseline its `…/mse` and `…/ssim`; and `mse_of_best_baseline`, the model's MSE as a
        fraction of the lowest of theirs. The baselines: the last frame, the mean frame, the last frame shifted at
        constant velocity; and `training_mean`, the mean of all frames of training clips, which looks at nothing.
    """
    data, average = DigitData("test"), training_mean()
    own, others = Prediction(), {name: Prediction() for name in (*BASELINES, "training_mean")}
    for start in range(0, num_clips, BATCH):
        clips = data.batch(range(start, min(start + BATCH, num_clips))).clips()
        past, future = clips[:, :, :NUM_PAST], clips[:, :, NUM_PAST:]
        own.add(model(past, NUM_FUTURE).sample, future)
        for name, predict in BASELINES.items():
            others[name].add(predict(past, NUM_FUTURE), future)
        others["training_mean"].add(average.expand_as(future), future)
        if progress is not None:
            progress((start + len(clips)) / num_clips)
    found = own.result()
    found |= {f"mse_frame_{k + 1:02d}": value for k, value in enumerate(own.per_frame()["mse"])}
    for name, measures in others.items():
        result = measures.result()
        found |= {f"{name}/{measure}": result[measure] for measure in ("mse", "ssim")}
    found["mse_of_best_baseline"] = found["mse"] / min(found[f"{name}/mse"] for name in others)
    return found


def training_mean() -> torch.Tensor:
    """The mean frame of training clips, `(1, 1, 1, H, W)` in [-1, 1]."""
    return DigitData().batch(range(NUM_AVERAGED)).clips().mean(dim=(0, 2), keepdim=True)
