"""diffusers' own pipelines by name: their text and image encoders need `transformers`, and their LoRA needs `peft`.

Both packages come with the extra `models`. Without them diffusers hands out classes that fail only when they are used.
"""

import difflib
from importlib.util import find_spec

import diffusers
from diffusers import DiffusionPipeline

MISSING = (
    "{packages} not installed: diffusers' own pipelines come with the extra: pip install 'flipbook-video[models]'."
)


def check_packages(*packages: str) -> None:
    """Check that packages of the extra `models` are installed.

    Raises:
        ImportError: one is not; the message names it and the command that installs it.
    """
    absent = [name for name in packages if find_spec(name) is None]
    if absent:
        raise ImportError(MISSING.format(packages=" and ".join(absent) + (" is" if len(absent) == 1 else " are")))


def pipeline_class(name: str, *, lora: bool = False) -> type[DiffusionPipeline]:
    """A pipeline class of diffusers that can be built here.

    Args:
        name: such as "StableVideoDiffusionPipeline" or "AnimateDiffPipeline".
        lora: LoRA weights will be loaded into it, or an adapter added to one of its models.

    Raises:
        ImportError: a package of the extra `models` is not installed.
        ValueError: diffusers has no pipeline of this name.
    """
    check_packages("transformers", *(["peft"] if lora else []))
    from transformers.utils import logging

    said = logging.get_verbosity()
    logging.set_verbosity_error()  # what it would say of torchvision is of no use here: pictures go through PIL
    try:
        found = getattr(diffusers, name, None) if name.endswith("Pipeline") else None
    finally:
        logging.set_verbosity(said)
    if found is None:
        names = [other for other in dir(diffusers) if other.endswith("Pipeline")]
        near = difflib.get_close_matches(name, names, 1)
        raise ValueError(f"diffusers has no pipeline {name!r}" + (f"; did you mean {near[0]!r}?" if near else "."))
    return found
