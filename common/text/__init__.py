"""Prompts as states of their tokens, by a frozen text encoder."""

from common.text.encoder import TextEncoder, TextError, weights_folder
from common.text.states import TextStates

__all__ = ["TextEncoder", "TextError", "TextStates", "weights_folder"]
