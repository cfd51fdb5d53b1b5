"""How `film-vae` is trained: `sprites-vae` with three times the latent channels goes on, on film alone.

    flipbook data fetch big-buck-bunny             optional: the whole film, more than a hundred shots
    flipbook train film-vae                        stage "main": short clips, a constant learning rate
    flipbook train film-vae --stage anneal         from there: clips of 17 frames, and the rate falls to zero
    flipbook train film-vae --stage further        from the shipped weights: the same, longer

Without the whole film the same recipe runs on the twelve bundled shots, which are too few to generalise from: the
shipped weights saw the whole film except its held-out pieces. The loss is that of `sprites-frame-vae`, with errors
counted in decibels. No picture is coded by itself besides, as for `sprites-vae`: the first frame of each clip is one.
"""

from functools import partial

from common.data.film import FilmData
from common.data.sources import find_source, source_path
from common.data.whole_film import SOURCE, WholeFilmData
from common.evaluation.reconstruction import Reconstruction, mean_frame
from common.models.autoencoder import PRESETS, CausalVideoVAE
from common.models.more_latents import with_more_latents
from common.show import strips
from common.tensor_ops import from_uint8
from common.training import Recipe, Settings, Stage, muon
from common.training.latent_statistics import record_latent_statistics
from common.training.losses import log_rms
from common.zoo import shelf
from common.zoo.sprites_frame_vae.recipe import compute_loss
from common.zoo.sprites_vae.recipe import COMMON, ENDS, LARGE, SIZES

LATENT_CHANNELS = 48
SHORT = {"ci": (5, 32), "cpu": (9, 64), "gpu": (17, 64)}  # frames, pixels of the first stage's clips
NUM_MEASURED = {"ci": 16, "cpu": 512, "gpu": 512}  # clips over which the latents' statistics are taken


def build_model(preset: str) -> CausalVideoVAE:
    """`sprites-vae` with more latent channels; under `ci` a tiny one with fresh weights."""
    if preset == "ci":
        return CausalVideoVAE(**PRESETS["ci"])
    return with_more_latents(shelf.from_pretrained("sprites-vae"), LATENT_CHANNELS)


def film(preset: str, sizes=SIZES) -> FilmData | WholeFilmData:
    """The whole film if it has been fetched, else the twelve bundled shots; under `ci` always these."""
    if preset != "ci" and find_source(SOURCE).location.is_file():
        source_path(SOURCE)  # raises where the file is damaged
        return WholeFilmData(*sizes[preset])
    return FilmData("train", *sizes[preset])


def measure(model, preset):
    """PSNR on a few windows of the held-out shots, in dB, of the model and of each clip's mean frame."""
    clips = from_uint8(FilmData("test", *SIZES[preset]).batch(range(32)))
    found, baseline = Reconstruction(), Reconstruction()
    for part in clips.split(8):
        found.add(model(part).sample.clamp(-1, 1), part)
        baseline.add(mean_frame(part), part)
    return {name: found.result()[name] for name in ("psnr", "psnr_worst", "change_ratio")} | {
        "psnr_mean_frame": baseline.result()["psnr"]
    }


def finish(model, preset):
    """Mean and standard deviation of each latent channel over clips of the training data, into the model's config."""
    record_latent_statistics(model, film(preset), NUM_MEASURED[preset])


def sheet(model, preset):
    """Two held-out clips, each above what comes back."""
    rows = {}
    for number, clip in enumerate(from_uint8(FilmData("test", *SIZES[preset]).batch([0, 1])), start=1):
        rows |= {f"film {number}": clip, f"film {number}, restored": model(clip[None]).sample[0].clamp(-1, 1)}
    return strips(rows)


EVERY = {"measure_every": 200, "sheet_every": 1000, "checkpoint_every": 50}
SMALL = COMMON | {"batch_size": 4}  # more steps in the same time
QUICK = {"ema_decay": 0.99}  # a mean over 100 steps, for a stage of some hundreds
MAIN = {"learning_rate": 5e-3, "decay": "none"}
ANNEAL = {"learning_rate": 5e-3, "decay": "linear"}
RECIPE = Recipe(
    name="film-vae",
    build_model=build_model,
    data=partial(film, sizes=SHORT),
    compute_loss=partial(compute_loss, error=log_rms),
    optimizer=partial(muon, ends=ENDS),
    stages={
        "main": Stage(
            {
                "ci": Settings(steps=20, warmup_steps=5, **MAIN, **SMALL),
                "cpu": Settings(steps=2350, warmup_steps=50, **MAIN, **SMALL, **EVERY),
                "gpu": Settings(steps=10_000, warmup_steps=200, **MAIN, **LARGE, **EVERY),
            }
        ),
        "anneal": Stage(
            {
                "ci": Settings(steps=20, first_sample=10**6, **ANNEAL, **SMALL),
                "cpu": Settings(steps=900, first_sample=10**6, **ANNEAL, **SMALL | QUICK, **EVERY),
                "gpu": Settings(steps=5000, first_sample=10**7, **ANNEAL, **LARGE, **EVERY),
            },
            start="main",
            data=film,
        ),
        "further": Stage(
            {
                "cpu": Settings(steps=4500, warmup_steps=50, first_sample=2 * 10**6, **ANNEAL, **SMALL, **EVERY),
                "gpu": Settings(steps=20_000, warmup_steps=200, first_sample=2 * 10**7, **ANNEAL, **LARGE, **EVERY),
            },
            start="film-vae",
            data=film,
        ),
    },
    sheet=sheet,
    measure=measure,
    finish=finish,
)
