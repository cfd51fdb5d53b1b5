"""`train`: run a recipe. It goes on from the last checkpoint when it was stopped, however it was stopped.

flipbook train sprites-vae --preset cpu
torchrun --nproc_per_node 2 -m common.cli.train my_recipe.py      several processes, the same curve
"""

import importlib
import os
import sys
from pathlib import Path

import click

from common import runtime
from common.cli.user_path import UserPath


@click.command()
@click.argument("recipe")
@click.option("--preset", type=click.Choice(runtime.PRESETS), help="Which settings [default: FLIPBOOK_PRESET, or cpu].")
@click.option("--stage", default="main", show_default=True, help="Which part of the recipe.")
@click.option("--folder", type=UserPath(file_okay=False), help="Of this run [default: runs/NAME/PRESET/STAGE].")
@click.option("--weights", help="Begin with these: a folder of weights, or a name of shipped ones.")
@click.option("--steps", type=click.IntRange(1), help="In place of the recipe's own number.")
@click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Change another setting; may be repeated.")
def train(recipe, preset, stage, folder, weights, steps, changes):
    """Train RECIPE: a name of shipped weights, or a Python file with a RECIPE in it.

    Stop it whenever you like, in whatever way. The same command goes on from the last checkpoint, and ends in the
    weights that an undisturbed training would have had.
    """
    from common import training  # imports torch

    try:
        preset = preset or runtime.preset()
        chosen = find_recipe(recipe)
        _, settings = chosen.at(stage, preset)
        settings = training.with_settings(settings, _parsed(changes) | ({"steps": str(steps)} if steps else {}))
        folder = Path(folder or Path("runs", chosen.name, preset, stage))
        state = first_weights(chosen, stage, folder, weights)
        _say(f"{chosen.name}, stage {stage}, preset {preset}: {settings.steps} steps of {settings.batch_size} samples.")
        _say(f"Checkpoints, log and sample sheets go to {folder}.")
        finished = training.train(chosen, preset, stage=stage, folder=folder, settings=settings, weights=state)
    except (training.TrainingError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error}. The last checkpoint, if there is one, is as it was.") from error
    except KeyboardInterrupt:
        raise click.ClickException("stopped. The same command goes on from the last checkpoint.") from None
    _say(f"The finished weights: {finished}")


def find_recipe(name: str):
    """The recipe of a Python file, or the one that made weights which are shipped.

    Raises:
        ValueError: there is no such file or name.
    """
    from common import training
    from common.models.shipped import did_you_mean

    if name.endswith(".py") or os.sep in name:
        return training.load_recipe(name)
    if name not in shipped_names():
        raise ValueError(f"there is no recipe {name!r}{did_you_mean(name, shipped_names())}")
    module = f"common.zoo.{name.replace('-', '_')}.recipe"
    return training.recipe_in(importlib.import_module(module), module)


def shipped_names() -> list[str]:
    """The names under which weights and their recipes are shipped."""
    zoo = Path(runtime.__file__).parent / "zoo"
    return sorted(path.parent.name.replace("_", "-") for path in zoo.glob("*/recipe.py"))


def first_weights(recipe, stage: str, folder: Path, weights: str | None):
    """The weights that a stage begins with, or None for fresh ones.

    Args:
        recipe: whose stage it is.
        stage: its name.
        folder: of this run; the weights of an earlier stage are in the folder beside it.
        weights: what the caller wants in place of what the stage says: a folder, or a shipped name.

    Raises:
        ValueError: there are no such weights.
    """
    from common import training

    start = weights or recipe.stages[stage].start
    if start is None:
        return None
    if weights is None and start in recipe.stages:
        place = folder.parent / start / "weights"
        if not place.is_dir():
            raise ValueError(
                f"stage {stage!r} goes on from stage {start!r}, whose weights are not in {place}: train it first"
            )
        return training.read_weights(place)
    if start in shipped_names():
        return training.read_weights(Path(runtime.__file__).parent / "zoo" / start.replace("-", "_"))
    return training.read_weights(Path(start))


def _parsed(changes: tuple[str, ...]) -> dict[str, str]:
    pairs = [change.partition("=") for change in changes]
    for name, equals, _ in pairs:
        if not equals:
            raise ValueError(f"--set wants NAME=VALUE, not {name!r}")
    return {name: value for name, _, value in pairs}


def _say(sentence: str) -> None:
    if os.environ.get("RANK", "0") == "0":  # torchrun's number of this process
        click.echo(sentence, file=sys.stderr)


if __name__ == "__main__":
    train()
