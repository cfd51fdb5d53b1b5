"""What our autoencoders hand back, with diffusers' names.

Defined here, since `diffusers.models.autoencoders` imports every autoencoder and transformer that diffusers has.
"""

from dataclasses import dataclass

import torch
from diffusers.utils.outputs import BaseOutput


@dataclass
class DecoderOutput(BaseOutput):
    """A decoder's output.

    Attributes:
        sample: what was decoded, as diffusers' class of this name has it.
    """

    sample: torch.Tensor
