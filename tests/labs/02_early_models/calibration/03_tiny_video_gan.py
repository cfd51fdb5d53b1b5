"""Measures what lab 02.3 and its grader use, five seeds of everything, and writes the JSON file beside this one.

    python tests/labs/02_early_models/calibration/03_tiny_video_gan.py grader
    python tests/labs/02_early_models/calibration/03_tiny_video_gan.py study [ARM ...]

`grader`: the outcome of `test_step_trains`, for the reference and for players that do not learn. Its threshold must
lie between them. `study`: the lab's own arms, run by the lab's own cells `play` and `count` with the library's parts.
Seeds that the file has already are not run again, so it can be stopped at any moment.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

import torch
from tqdm import tqdm

from common.course.checking import loader
from common.course.graders import outcomes
from common.course.source import lab_source
from common.data.sprites.modes import ModeData
from common.evaluation.modes import mode_report
from common.models.video_gan import VideoGAN
from common.training.adversarial import adversarial_step
from common.zoo import shelf
from common.zoo.card import file_facts

HERE = Path(__file__).resolve()
GRADER, STORE = HERE.parents[1] / f"test_{HERE.name}", HERE.with_suffix(".json")
THRESHOLD = 0.45  # of the energy distance
SEEDS = range(5)
NUM_STEPS, EVERY, NUM_READ, NUM_KEPT = 80, 20, 96, 1920  # of the study


def stored() -> dict:
    """What has been measured so far."""
    return json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}


def store(**parts) -> None:
    """Add new parts to what has been measured."""
    STORE.write_text(json.dumps(stored() | parts, indent=1) + "\n", encoding="utf-8")


def grader() -> None:
    """The energy distance after the grader's 100 steps, for the reference and for broken players."""
    spec = importlib.util.spec_from_file_location("grader", GRADER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    steps = {"reference": adversarial_step, "no player moves": still,
             "the discriminator does not move": discriminator_stands_still,
             "the generator does not move": generator_stands_still,
             "the generator moves the wrong way": generator_runs_away}  # fmt: skip
    found = {name: [round(module.distance_after(step, seed), 4) for seed in SEEDS] for name, step in steps.items()}
    for name, distances in found.items():
        print(f"{name:34}", *distances)
    outcome = {"measure": "the energy distance of samples and data after 100 steps", "better": "lower",
               "threshold": THRESHOLD, "reference": found.pop("reference"), "broken": found}  # fmt: skip
    store(seeds=list(SEEDS), outcomes={"step_trains": outcome})
    outcomes.load(GRADER)  # an error unless the threshold parts the reference from what is broken


def still(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    return {}


class Still:
    """An optimizer that does nothing."""

    def zero_grad(self):
        pass

    step = zero_grad


def discriminator_stands_still(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    return adversarial_step(generator, discriminator, (optimizers[0], Still()), real, latents, penalty_weight)


def generator_stands_still(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    return adversarial_step(generator, discriminator, (Still(), optimizers[1]), real, latents, penalty_weight)


def generator_runs_away(generator, discriminator, optimizers, real, latents, penalty_weight=0.0):
    adversarial_step(generator, discriminator, (Still(), optimizers[1]), real, latents, penalty_weight)
    optimizers[0].zero_grad()
    discriminator(generator(latents[1])).mean().backward()
    optimizers[0].step()


def cells():
    """The lab's own names: its setup, the library's parts for its exercises, and its cells without a tag, in full."""
    taken = []
    for number, cell in enumerate(lab_source.read(lab_source.find_lab("02.3").source)):
        if cell.kind == "code" and "check" not in cell.keys and "demo" not in cell.keys.get("tags", ()):
            asked = cell.keys.get("from")
            text = "from {} import {}".format(*asked.split(":")) if asked else cell.text
            taken.append(loader.Cell(f"cell {number}", text, frozenset({"setup"})))
    return loader.load_cells(taken, "02.3")


def study(chosen: list[str]) -> None:
    """Every arm of the lab under every seed; a list of measurements for each."""
    torch.set_num_threads(1)
    lab = cells()
    finished, pixels = VideoGAN.from_pretrained("sprites-gan").eval(), lab.WORLD.batch(range(NUM_KEPT))
    wanted = [lab.WORLD.mode(i) for i in range(480)]
    world = mode_report(lab.modes_of(ModeData(split="test").clips(range(NUM_READ))), wanted)
    facts = {"num_steps": NUM_STEPS, "every": EVERY, "num_read": NUM_READ, "world": numbers(world)}
    facts["weights"] = file_facts(shelf.weights_folder("sprites-gan"))["sha256"]
    arms = stored().get("study", {}).get("arms", {})
    runs = [(name, seed) for seed in SEEDS for name in chosen or lab.ARMS if str(seed) not in arms.get(name, {})]
    for name, seed in tqdm(runs, unit="run"):  # all arms of a seed together
        began, curve = time.process_time(), []
        for step, gan in lab.play(lab.ARMS[name], seed, finished, pixels, NUM_STEPS, EVERY):
            report, spread = lab.count(gan.eval(), NUM_READ, wanted)
            curve.append({"step": step} | numbers(report) | {"spread": round(spread, 4)})
            gan.train()
        arms[name] = arms.get(name, {}) | {str(seed): curve}
        store(study=facts | {"arms": arms})
        tqdm.write(f"{name}, seed {seed}: {curve[-1]}, {time.process_time() - began:.0f} s of the processor")


def numbers(report) -> dict[str, float]:
    """A report as JSON has it."""
    names = ("known", "coverage", "entropy", "effective_modes", "recall")
    return {name: round(getattr(report, name), 4) for name in names}


if __name__ == "__main__":
    what, *names = sys.argv[1:] or ["help"]
    {"grader": grader, "study": lambda: study(names)}.get(what, lambda: print(__doc__))()
