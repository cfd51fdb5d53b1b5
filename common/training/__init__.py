"""The one training loop, and what a recipe for it is made of."""

from common.training.adversarial import AdversarialRecipe, adversarial_step
from common.training.errors import TrainingError
from common.training.export import read_weights
from common.training.keyed_noise import KeyedNoise
from common.training.loop import train
from common.training.muon import Muon, muon
from common.training.recipe import Recipe, Settings, Stage, load_recipe, recipe_in, with_settings
from common.training.records import read_log
from common.training.stepped import SteppedRecipe

__all__ = ["AdversarialRecipe", "KeyedNoise", "Muon", "Recipe", "Settings", "Stage", "SteppedRecipe",
           "TrainingError", "adversarial_step", "load_recipe", "muon", "read_log", "read_weights", "recipe_in", "train",
           "with_settings"]  # fmt: skip
