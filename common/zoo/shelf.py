"""Shipped weights by name: where they lie, what their cards say, and the models they make.

A name such as `sprites-vae` stands for the folder `sprites_vae` here. In it: the weights (safetensors) and the model's
`config.json`; `recipe.py`, which made them; `measures.py`, which says how good they are; `card.json` with what was
found, and `card.md`, the same for people.
"""

import importlib
from pathlib import Path
from typing import Any

import diffusers
from diffusers.models.modeling_utils import ModelMixin

from common.models.shipped import demand_whole, did_you_mean, read_json

ROOT = Path(__file__).parent
WEIGHTS = "diffusion_pytorch_model.safetensors"


class ZooError(ValueError):
    """There are no weights of that name, or a folder of the zoo is incomplete."""


def names() -> list[str]:
    """Everything that has a recipe here, whether or not its weights are there."""
    return sorted(path.parent.name.replace("_", "-") for path in ROOT.glob("*/recipe.py"))


def folder(name: str) -> Path:
    """The folder of a name.

    Raises:
        ZooError: there is no such name; the message has the nearest, or lists those there are.
    """
    if name not in names():
        raise ZooError(f"there are no shipped weights {name!r}{did_you_mean(name, names())}")
    return ROOT / name.replace("-", "_")


def has_weights(name: str) -> bool:
    """Whether the weights are there, and not only the recipe for them."""
    return (folder(name) / WEIGHTS).is_file()


def weights_folder(name_or_folder: str | Path) -> Path:
    """The folder with the weights: of a shipped name, or a folder that holds some, such as that of a training run.

    Raises:
        ZooError: it is neither; or the recipe is here and its weights are not.
    """
    place = Path(name_or_folder)
    if str(name_or_folder) not in names():
        if (place / WEIGHTS).is_file():
            return place
        name = str(name_or_folder)
        raise ZooError(f"there are no shipped weights {name!r}, and no folder with some{did_you_mean(name, names())}")
    if not has_weights(str(name_or_folder)):
        raise ZooError(
            f"the weights of {name_or_folder} are not in this checkout; its recipe makes them: "
            f"flipbook train {name_or_folder}"
        )
    return folder(str(name_or_folder))


def from_pretrained(name_or_folder: str | Path, **options):
    """A model with shipped weights, in evaluation mode; in float32, whatever the file holds, unless told otherwise.

    Args:
        name_or_folder: as in `weights_folder`.
        options: for the model's own `from_pretrained`.

    Raises:
        ZooError: as `weights_folder`; or the config names a class that `common.models` does not have.
        WeightsError: a name's file is not the one on its card. (In a folder, whatever is there is loaded.)
    """
    place = weights_folder(name_or_folder)
    if str(name_or_folder) in names():
        demand_whole(place)
    return model_class(place).from_pretrained(place, **options)


def model_class(place: Path):
    """The class that a folder's `config.json` names: one of `common.models`, or of diffusers' own.

    Raises:
        ZooError: there is no such class.
    """
    wanted = read_json(place / "config.json").get("_class_name")
    if not isinstance(wanted, str) or not wanted.isidentifier():
        raise ZooError(
            f"{place / 'config.json'} does not say which class of common.models it belongs to (_class_name)."
        )
    for path in sorted((ROOT.parent / "models").glob("*.py")):
        if f"class {wanted}(" in path.read_text(encoding="utf-8"):
            return getattr(importlib.import_module(f"common.models.{path.stem}"), wanted)
    if isinstance(found := getattr(diffusers, wanted, None), type) and issubclass(found, ModelMixin):
        return found
    raise ZooError(f"{place} holds a {wanted}, and neither common.models nor diffusers has that class")


def measures(name: str) -> Any:
    """The module that measures the weights of a name.

    It has `SETTINGS`, the names of the settings with what each takes, and `measure(model, setting)`, a dictionary of
    numbers.

    Raises:
        ZooError: there is no such name.
    """
    return importlib.import_module(f"common.zoo.{folder(name).name}.measures")
