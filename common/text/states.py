"""States of a text's tokens: packed for the disk, padded for a model."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class PackedStates:
    """One text's states in a byte each, a scale for each token; what is lost is 1.5 % of their standard deviation.

    Whatever a text's states come from, they are packed once and unpacked: so they are the same numbers everywhere.

    Attributes:
        codes: int8 `(L, D)`.
        scales: float32 `(L,)`.
    """

    codes: torch.Tensor
    scales: torch.Tensor

    @classmethod
    def of(cls, states: torch.Tensor) -> "PackedStates":
        """Round states, `(L, D)`."""
        scales = states.float().abs().amax(dim=1).clamp(min=1e-12) / 127  # (L,)
        return cls((states.float() / scales[:, None]).round().to(torch.int8), scales)

    def unpack(self) -> torch.Tensor:
        """`(L, D)` float32."""
        return self.codes.float() * self.scales[:, None]


@dataclass(frozen=True)
class TextStates:
    """What a model reads.

    Attributes:
        states: `(B, L, D)` float32; zero behind the end of a text.
        mask: bool `(B, L)`, True for a token. Every text has at least two: its beginning and its end.
    """

    states: torch.Tensor
    mask: torch.Tensor

    @classmethod
    def padded(cls, packed: Sequence[PackedStates]) -> "TextStates":
        """Texts side by side, as long as the longest.

        Raises:
            ValueError: there is no text.
        """
        if not packed:
            raise ValueError("there is no text to read")
        texts = [one.unpack() for one in packed]
        states = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)  # (B, L, D)
        lengths = torch.tensor([len(text) for text in texts])
        return cls(states, torch.arange(states.shape[1]) < lengths[:, None])

    def __len__(self) -> int:
        return len(self.states)

    def __getitem__(self, chosen: slice) -> "TextStates":
        """Some of the texts."""
        return TextStates(self.states[chosen], self.mask[chosen])

    def to(self, *args, **kwargs) -> "TextStates":
        """As `Tensor.to` with a device or a dtype; the dtype is the states' alone."""
        states = self.states.to(*args, **kwargs)
        return TextStates(states, self.mask.to(states.device))
