"""Four questions to a video transformer of diffusers, answered by running a tiny instance and changing one thing.

Nothing is read from the class: what changes in the output is what the model sees.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from common.models.open_model_inputs import example_inputs, tiny_instance

GRID, TEXT_LENGTH, NUM_HIDDEN = (3, 2, 4), 9, 4
VISIBLE = 1e-4  # of outputs that are about 1: rounding is a hundred times less


@dataclass(frozen=True)
class Probe:
    """What a tiny instance does.

    Attributes:
        class_name: of diffusers.
        num_parameters: of the tiny instance.
        reaches_all: whether a change in the last frame's corner is seen by every token of every frame.
        rewrites_text: whether the text's states depend on the video somewhere inside.
        sees_padding: whether tokens that a mask should hide change the output; without a mask they cannot be hidden.
        reads_order: whether the same token states in another order are another prompt.
    """

    class_name: str
    num_parameters: int
    reaches_all: bool
    rewrites_text: bool
    sees_padding: bool
    reads_order: bool


@torch.no_grad()
def probe(class_name: str) -> Probe:
    """Ask a tiny instance of a class all four."""
    model = tiny_instance(class_name)
    inputs = example_inputs(model, GRID, TEXT_LENGTH)
    text = inputs["encoder_hidden_states"]
    out = as_tokens(model, inputs, model(**inputs)[0])
    differs = lambda **changed: (as_tokens(model, inputs, model(**inputs | changed)[0]) - out).abs()  # noqa: E731

    video = inputs["hidden_states"].clone()
    corner = (0, -1) if video.ndim == 3 else (0, -1, slice(None), -1, -1)  # the last token, or its place
    if video.ndim == 5 and "image_rotary_emb" not in inputs:  # channels before frames
        corner = (0, slice(None), -1, -1, -1)
    video[corner] += 3
    hidden = text.clone()
    hidden[:, -NUM_HIDDEN:] += 3
    mask = {}
    if "encoder_attention_mask" in inputs:
        shown = inputs["encoder_attention_mask"].clone()
        shown[:, -NUM_HIDDEN:] = False
        mask = {"encoder_attention_mask": shown}
        out_hidden = as_tokens(model, inputs, model(**inputs | mask)[0])
        changed = model(**inputs | mask | {"encoder_hidden_states": hidden})[0]
        padding = (as_tokens(model, inputs, changed) - out_hidden).abs()
    else:
        padding = differs(encoder_hidden_states=hidden)
    texts = [text_states(model, inputs | {"hidden_states": clip}) for clip in (inputs["hidden_states"], video)]
    return Probe(
        class_name,
        sum(p.numel() for p in model.parameters()),
        bool(differs(hidden_states=video).amax(dim=-1).min() > 0),
        any((a - b).abs().max() > VISIBLE for a, b in zip(*texts)),
        bool(padding.max() > VISIBLE),
        bool(differs(encoder_hidden_states=text.flip(1)).max() > VISIBLE),
    )


def as_tokens(model: nn.Module, inputs: dict[str, Any], out: torch.Tensor) -> torch.Tensor:
    """A model's output with an axis of places before the last one: `(1, N, numbers)`."""
    if out.ndim == 3:
        return out
    channels = 2 if "image_rotary_emb" in inputs else 1
    return out.movedim(channels, -1).flatten(1, 3)  # (1, T' · H' · W', C)


def text_states(model: nn.Module, inputs: dict[str, Any]) -> list[torch.Tensor]:
    """The text's states as blocks hand them on; none where blocks give back the video alone."""
    found, hooks = [], []

    def keep(_, __, output):
        if isinstance(output, tuple):
            found.extend(part for part in output if part.ndim == 3 and part.shape[1] == TEXT_LENGTH)

    for name in ("blocks", "transformer_blocks", "single_transformer_blocks"):
        hooks += [block.register_forward_hook(keep) for block in getattr(model, name, [])]
    model(**inputs)
    for hook in hooks:
        hook.remove()
    return found
