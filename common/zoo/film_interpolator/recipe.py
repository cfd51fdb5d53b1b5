"""How `film-interpolator` is trained: the middle of three frames, from film (three in four) and sprites.

    flipbook train film-interpolator                     stage "main": a constant learning rate
    flipbook train film-interpolator --stage anneal      from there: the rate falls to zero, the loss counts decibels

A fresh model is a block matcher already, so training has little to learn that is not worth learning. The pictures are
squares of 48 pixels, and the model has no layer that knows where it is: what it learns there it does on whole frames.
"""

from functools import partial
from importlib.util import find_spec

import torch

from common.data.film import HELD_OUT
from common.data.triplets import TripletData, film_triplets
from common.evaluation import ssim
from common.evaluation.interpolation import picture_scores
from common.flow import average_frames, dis_between
from common.models.interpolator import PRESETS, Interpolator
from common.show import contact_sheet
from common.tensor_ops import from_uint8
from common.training import Recipe, Settings, Stage, muon
from common.training.losses import log_rms, rms

SIZES = {"ci": (32, 8), "cpu": (48, 8), "gpu": (48, 8)}  # pixels, largest pan
STRUCTURE_WEIGHT = 0.5  # of 1 - SSIM: a blur costs few decibels, and much structure
WARP_WEIGHT = 0.25  # of what each warped picture alone leaves unexplained


def compute_loss(model, pixels, noise, error=None):
    """Error and lost structure of the middle, and the error of each side's picture warped there.

    Without the last, motion is learned late: the mean of two copies is an easy answer.

    Args:
        model: an `Interpolator`.
        pixels: uint8 `(B, 3, 3, H, W)`: first, middle and last frame along the third axis.
        noise: not used; nothing here is drawn at random.
        error: of pictures, from the difference to the true one `(B, 3, H, W)`; `rms` unless told otherwise.
    """
    first, middle, last = from_uint8(pixels).unbind(dim=2)
    parts = model.explain(first, last)
    warped = [(parts[name] - middle).abs().mean() for name in ("warped_first", "warped_last")]
    found = {
        "error": (error or rms)(parts["middle"] - middle),
        "structure": 1 - ssim(parts["middle"].float(), middle, data_range=2.0),
        "warped": sum(warped) / 2,
    }
    loss = found["error"] + STRUCTURE_WEIGHT * found["structure"] + WARP_WEIGHT * found["warped"]
    return {"loss": loss, **found}


def measure(model, preset):
    """PSNR on held-out film, in dB, and how far it is above two baselines; where OpenCV is not installed, one."""
    triplets = film_triplets(HELD_OUT, (1, 2, 3), every=12)
    methods = {"": lambda a, b: model(a, b).clamp(-1, 1), "_average": average_frames}
    if find_spec("cv2"):
        methods["_dis"] = dis_between
    scores = {name: [] for name in methods}
    for k in range(0, len(triplets), 4):
        first, middle, last = (picture.to(model.device) for picture in triplets.pictures(slice(k, k + 4)))
        for name, between in methods.items():
            scores[name].append(picture_scores(between(first, last), middle)["psnr"])
    found = {name: float(torch.cat(parts).mean()) for name, parts in scores.items()}
    return {"psnr": found[""]} | {f"psnr_over{name}": found[""] - found[name] for name in methods if name}


def sheet(model, preset):
    """A held-out moment: the first frame, the last, their mean, the model's middle, the true one."""
    triplets = film_triplets(("leap", "wing_dance"), (2,), every=20)
    cells = []
    for k in range(len(triplets)):
        first, middle, last = triplets.pictures([k])
        made = model(first.to(model.device), last.to(model.device)).clamp(-1, 1).cpu()
        cells += [first, last, average_frames(first, last), made, middle]
    labels = ["first", "last", "their mean", "model", "truth"] * len(triplets)
    return contact_sheet(torch.cat(cells).transpose(0, 1), columns=5, width=171, labels=labels)


COMMON = {"batch_size": 8, "betas": (0.9, 0.95), "weight_decay": 0.01, "ema_decay": 0.998, "precision": "auto"}
LARGE = COMMON | {"batch_size": 64, "ema_decay": 0.999}
ENDS = ("pyramid.fine", "flows_out", "pixels_out", "log_sharpness")  # the layers that touch pixels and flows
RECIPE = Recipe(
    name="film-interpolator",
    build_model=lambda preset: Interpolator(**PRESETS[preset]),
    data=lambda preset: TripletData(*SIZES[preset]),
    compute_loss=compute_loss,
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=30, learning_rate=3e-3, warmup_steps=5, decay="none", **COMMON),
                "cpu": Settings(
                    steps=1400,
                    learning_rate=3e-3,
                    warmup_steps=100,
                    decay="none",
                    measure_every=500,
                    sheet_every=1000,
                    checkpoint_every=100,
                    **COMMON,
                ),
                "gpu": Settings(
                    steps=40_000,
                    learning_rate=3e-3,
                    warmup_steps=200,
                    decay="none",
                    measure_every=2000,
                    sheet_every=4000,
                    checkpoint_every=500,
                    **LARGE,
                ),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=20, learning_rate=3e-3, decay="linear", first_sample=10**6, **COMMON),
                "cpu": Settings(
                    steps=2200,
                    learning_rate=3e-3,
                    decay="linear",
                    first_sample=10**6,
                    measure_every=500,
                    sheet_every=1000,
                    checkpoint_every=100,
                    **COMMON,
                ),
                "gpu": Settings(
                    steps=10_000,
                    learning_rate=3e-3,
                    decay="linear",
                    first_sample=10**7,
                    measure_every=2000,
                    sheet_every=4000,
                    checkpoint_every=500,
                    **LARGE,
                ),
            },
            start="main",
            compute_loss=partial(compute_loss, error=log_rms),
        ),
    },
    sheet=sheet,
    measure=measure,
)
