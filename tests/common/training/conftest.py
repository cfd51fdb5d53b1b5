"""The tiny recipe, trained in this process; and one thread, so that what is compared is bit for bit the same."""

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from common.training import load_recipe, read_log, train

HERE = Path(__file__).parent
ROOT = HERE.parents[2]


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def recipe_file() -> Path:
    return HERE / "tiny_recipe.py"


@pytest.fixture(scope="session")
def recipe(recipe_file):
    return load_recipe(recipe_file)


@pytest.fixture
def run(recipe):
    """A function that trains in a folder, with some settings changed, and returns the lines of the log."""

    def run(folder, chosen=recipe, **changes):
        _, settings = chosen.at("main", "ci")
        train(chosen, "ci", folder=folder, settings=replace(settings, **changes), quiet=True)
        return read_log(folder)

    return run


@pytest.fixture(scope="session")
def elsewhere() -> dict[str, str]:
    """The environment of a fresh process that runs this checkout's code on one thread."""
    return os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "FLIPBOOK_PRESET": "ci"}


@pytest.fixture(scope="session")
def python() -> list[str]:
    return [sys.executable, "-W", "ignore"]
