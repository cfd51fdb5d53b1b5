"""AdaLN-Zero's gates, closed by hand: a trained DiT in which one branch of every block adds nothing.

with with_branch_closed(transformer, 1):
    clip = pipeline(prompt).frames        without the text branch
"""

import contextlib
from collections.abc import Generator
from dataclasses import replace

import torch


@contextlib.contextmanager
def with_branch_closed(model: torch.nn.Module, branch: int | None) -> Generator[None]:
    """Inside the block the gates of one branch are zero, in all blocks of a DiT.

    Args:
        model: whose `blocks` have an AdaLN-Zero `modulation`.
        branch: 0 self-attention, 1 text, 2 feed-forward; None closes nothing.
    """

    def close(module, given, modulations):
        return [replace(m, gate=0 * m.gate) if k == branch else m for k, m in enumerate(modulations)]

    with contextlib.ExitStack() as undo:
        for block in model.get_submodule("blocks").children():
            undo.callback(block.get_submodule("modulation").register_forward_hook(close).remove)
        yield
