"""`from_pretrained` that takes the name of shipped weights, and gives trained weights or an error."""

import contextlib
import difflib
import hashlib
import json
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Any

import torch

ZOO = Path(__file__).parents[1] / "zoo"
WEIGHTS, CONFIG, CARD = "diffusion_pytorch_model.safetensors", "config.json", "card.json"


class WeightsError(OSError, ValueError):
    """No such weights, weights of another model, or a damaged file. The message says what to do.

    An `OSError` as diffusers raises it, and a `ValueError` because a name is what a user gives.
    """


class Shipped:
    """For a model, before `ModelMixin`: `from_pretrained("sprites-vae")` finds the weights that come with the library.

    A name stands for a folder of `common/zoo`, with `_` for `-`. Everything else goes to diffusers' own method: a
    folder anywhere, or OWNER/NAME on a hub. Wherever they come from, the weights are all of this model's.
    """

    config: Any  # diffusers says a dict; it is a FrozenDict, whose entries are attributes too

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs):
        """See `diffusers.ModelMixin.from_pretrained`. `dtype` and `torch_dtype` mean the same.

        Raises:
            WeightsError: there are no weights of that name, they are damaged or belong to another model, or some of
                this model's weights are not among them. Diffusers would go on with untrained ones.
            ValueError: a dtype is none, or two are given.
        """
        place = find(pretrained_model_name_or_path)
        demand_class(cls, Path(place) / (kwargs.get("subfolder") or ""))
        dtype, wants_info = pop_dtype(kwargs), kwargs.pop("output_loading_info", False)
        with nearest_name(place):
            # pyrefly: ignore [missing-attribute]  # of diffusers' mixin, which comes next in the order of classes
            model, info = super().from_pretrained(place, torch_dtype=dtype, output_loading_info=True, **kwargs)
        if not kwargs.get("ignore_mismatched_sizes"):
            demand_all_loaded(cls, place, info)
        return (model, info) if wants_info else model


def find(name_or_folder) -> Path | str:
    """The folder that a name of shipped weights stands for, its file compared with its card; else what was given.

    Raises:
        WeightsError: it is a plain word, and neither a folder nor the name of shipped weights; or those are damaged.
    """
    name = str(name_or_folder)
    if is_shipped(name):
        place = folder_of(name)
        demand_whole(place)
        return place
    if "/" in name or "\\" in name or Path(name).is_dir():
        return name_or_folder
    raise WeightsError(f"there are no shipped weights {name!r}, and no such folder{did_you_mean(name, names())}")


@contextlib.contextmanager
def nearest_name(name_or_folder) -> Generator[None]:
    """Around diffusers' own loading: OWNER/NAME that is nowhere and resembles a shipped name is said in one sentence.

    Raises:
        WeightsError: it has the nearest name.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        name = str(name_or_folder)
        near = difflib.get_close_matches(name.replace("\\", "/").rstrip("/").split("/")[-1].lower(), names(), 1)
        if isinstance(error, WeightsError) or Path(name).is_dir() or not near:
            raise
        raise WeightsError(
            f"there is no folder {name!r}, and no such weights on a hub that can be reached; the shipped ones are "
            f"called {near[0]}, without an owner"
        ) from error


def names() -> list[str]:
    """Everything that has a recipe in the zoo, whether or not its weights are there."""
    return sorted(path.parent.name.replace("_", "-") for path in ZOO.glob("*/recipe.py"))


def is_shipped(name: str) -> bool:
    """Whether this is a name of the zoo's."""
    return "/" not in name and "\\" not in name and (folder_of(name) / "recipe.py").is_file()


def folder_of(name: str) -> Path:
    """Where the weights of a name are, if there is such a name."""
    return ZOO / name.replace("-", "_")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name: the nearest known one, or all of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name.lower(), known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are: {', '.join(known) or '(none)'}"


def demand_whole(place: Path) -> None:
    """Compare the weights and the config of a folder of the zoo with the checksums on their card.

    Raises:
        WeightsError: a file is not there, cannot be read, or is not the one that the card names.
    """
    name, card = place.name.replace("_", "-"), {}
    if (place / CARD).is_file():
        card = read_json(place / CARD)
    expected = card.get("weights", {}).get("sha256")
    for path in (place / CONFIG, place / WEIGHTS):
        if not path.is_file():
            known = f"a file of {name} is missing: {path}. {remedy(path)}"
            new = f"the weights of {name} are not there; its recipe makes them: flipbook train {name}"
            raise WeightsError(known if expected else new)
    if expected and hashlib.sha256((place / WEIGHTS).read_bytes()).hexdigest() != expected:
        path = place / WEIGHTS
        raise WeightsError(f"the weights of {name} are damaged: {path} is not the file on its card. {remedy(path)}")
    expected, path = card.get("weights", {}).get("config_sha256"), place / CONFIG
    if expected and config_checksum(place) != expected:
        raise WeightsError(f"the settings of {name} are damaged: {path} is not the file on its card. {remedy(path)}")


def config_checksum(place: Path) -> str:
    """SHA-256 of what a folder's config says: however its lines end, and whichever diffusers wrote it."""
    config = {name: value for name, value in read_json(place / CONFIG).items() if name != "_diffusers_version"}
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def demand_class(cls: type, place: Path) -> None:
    """Look at which class a folder's config names.

    Raises:
        WeightsError: it is another one.
    """
    config = read_json(place / CONFIG) if (place / CONFIG).is_file() else {}
    found = config.get("_class_name")
    if found is None or found in {base.__name__ for base in cls.__mro__}:
        return
    fitting = [name for name in names() if class_of(name) == cls.__name__]
    there = f"; weights for a {cls.__name__} are: {', '.join(fitting)}" if fitting else ""
    name = place.name.replace("_", "-") if place.parent == ZOO else str(place)
    raise WeightsError(f"{name} holds the weights of a {found}, not of a {cls.__name__}{there}")


def class_of(name: str) -> str | None:
    """The class that the config of a name says, or None where there is no config."""
    path = folder_of(name) / CONFIG
    return read_json(path).get("_class_name") if path.is_file() else None


def demand_all_loaded(cls: type, place, info: dict) -> None:
    """Look at what diffusers says after loading.

    Raises:
        WeightsError: some weights were not in the file, or the file has others.
    """
    for problem, said in (("missing_keys", "lacks"), ("mismatched_keys", "has another shape for"),
                          ("unexpected_keys", "also holds")):  # fmt: skip
        if keys := info.get(problem):
            shown = sorted(str(key[0] if isinstance(key, tuple) else key) for key in keys)
            more = f" and {len(shown) - 3} more" if len(shown) > 3 else ""
            raise WeightsError(
                f"{place} is not a {cls.__name__} of this config: it {said} {', '.join(shown[:3])}{more}"
            )


def pop_dtype(options: dict) -> torch.dtype | None:
    """Take `dtype` or `torch_dtype` out of the options for loading; None where neither is given.

    Raises:
        ValueError: both are given, or it is no dtype.
    """
    given = [options.pop(name) for name in ("dtype", "torch_dtype") if options.get(name) is not None]
    options.pop("dtype", None), options.pop("torch_dtype", None)
    if len(given) > 1:
        raise ValueError("give dtype or torch_dtype, not both: they mean the same")
    if given and not isinstance(given[0], torch.dtype):
        raise ValueError(f"dtype is one of torch's, such as torch.bfloat16; got {given[0]!r}")
    return given[0] if given else None


def read_json(path: Path) -> dict:
    """What a JSON file holds.

    Raises:
        WeightsError: it cannot be read, or holds no object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise WeightsError(f"{path} is damaged: it is no JSON object. {remedy(path)}")
    return content


def remedy(path: Path) -> str:
    """How a file of the library is had again: a sentence, or nothing for other files."""
    if not path.is_relative_to(ZOO):
        return ""
    root = ZOO.parents[1]
    if (root / ".git").exists():
        inside = path.relative_to(root).as_posix()
        return f"To have it again, in the checkout's folder: git checkout -- {inside}"
    if (root / "pyproject.toml").exists():  # an archive of the repository, unpacked
        return "To have it again, unpack the course once more."
    return "To have it again, install flipbook-video once more, with pip's --force-reinstall."
