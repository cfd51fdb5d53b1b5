"""A latent action model that is one formula, and states of a codebook in the middle of training: for lab 09.3."""

import torch

from common.course.graders.stand_ins import Keeps
from common.course.graders.values import noise, uniform

BUFFERS = ("codebook", "counts", "sums")


def part_of(oracle, place: int):
    """One of an oracle's several answers."""
    return lambda *args, **how: oracle(*args, **how)[place]


class FormulaCoder(Keeps, torch.nn.Module, logs=("calls",)):
    """Stands for a `LatentActionModel`: every part has a parameter of its own, and codes are whole numbers.

    Args:
        seed: of the parameters.
        channels: C of the frames.
        past: frames of the past.

    Attributes:
        calls: what was quantized.
    """

    def __init__(self, seed: int, channels: int, past: int):
        super().__init__()
        self.seen = torch.nn.Parameter(noise(seed, 3, channels, past, scale=2.0))
        self.next = torch.nn.Parameter(noise(seed + 1, 3, channels, scale=2.0))
        self.told = torch.nn.Parameter(noise(seed + 2, channels, 3, scale=0.4))
        self.gain = torch.nn.Parameter(uniform(seed + 3, past, low=0.3, high=0.9))
        self.calls = []

    def encode(self, past, following):
        """z, `(B, 3)`: a sum over frames and channels of their means."""
        self._fits(past, following)
        z = torch.einsum("dcp,bcp->bd", self.seen, past.mean(dim=(3, 4)))
        return z + torch.einsum("dc,bc->bd", self.next, following.mean(dim=(2, 3)))

    def quantize(self, z):
        """Rounded straight through, and a number for each row."""
        self.calls.append(z.detach())
        return z + (z.round() - z).detach(), (z.detach().round().long() % 5).sum(dim=1)

    def decode(self, past, codes):
        """The past, weighted, and what the code tells."""
        self._fits(past, codes=codes)
        return (past * self.gain[:, None, None]).sum(dim=2) + (codes @ self.told.T)[:, :, None, None]

    def double_twin(self) -> "FormulaCoder":
        """The same formula in double precision, with parameters of its own."""
        twin = FormulaCoder(0, len(self.told), len(self.gain))
        for mine, its in zip(self.parameters(), twin.parameters()):
            its.data = mine.detach().double()
        return twin

    def _fits(self, past, following=None, codes=None):
        b, c, p = len(past), len(self.told), len(self.gain)
        good = past.ndim == 5 and past.shape[:3] == (b, c, p)
        assert good, f"the past is (B, {c}, {p}, H, W), all frames but the last one; got {tuple(past.shape)}"
        for name, value, due in (("next frame", following, (b, c, *past.shape[3:])), ("codes", codes, (b, 3))):
            words = f"the {name} should have the shape {due}, not {tuple(getattr(value, 'shape', ()))}"
            assert value is None or tuple(value.shape) == due, words


def films(seed: int, batch: int, channels: int, frames: int, height: int, width: int, *beta: float):
    """A formula, a clip for it, and beta where there is one."""
    clip = uniform(seed + 7, batch, channels, frames, height, width)
    return FormulaCoder(seed, channels, frames - 1), clip, *beta


def codebooks(seed: int, num_codes: int, dim: int, batch: int, num_candidates: int, decay: float, least: float):
    """What `update` of a quantizer is tried with: some codes are popular, and every third one is hardly ever chosen."""
    counts = uniform(seed, num_codes, low=0.5, high=6)
    counts[1::3] = uniform(seed + 1, len(counts[1::3]), low=0.01, high=0.9) * least
    alive = torch.tensor([k for k in range(num_codes) if k % 3 != 1])
    indices = alive[torch.randint(len(alive), (batch,), generator=torch.Generator().manual_seed(seed + 4))]
    codebook, sums, z = noise(seed + 5, num_codes, dim), noise(seed + 2, num_codes, dim), noise(seed + 3, batch, dim)
    return codebook, counts, sums, z, indices, noise(seed + 6, num_candidates, dim), decay, least


def quantizer_of(quantizer_class, codebook, counts, sums, decay: float, least: float):
    """A quantizer in this state."""
    quantizer = quantizer_class(*codebook.shape, decay=decay, least=least)
    for name, value in zip(BUFFERS, (codebook, counts, sums)):
        getattr(quantizer, name).copy_(value)
    return quantizer


def updated(quantizer_class):
    """One update of a quantizer in a given state: its buffers after it, and what it returned."""

    def call(codebook, counts, sums, z, indices, candidates, decay, least):
        quantizer = quantizer_of(quantizer_class, codebook, counts, sums, decay, least)
        revived = quantizer.update(z, indices, candidates)
        return *(getattr(quantizer, name).clone() for name in BUFFERS), revived

    return call


def error_after(quantizer_class, seed: int, steps: int = 200) -> float:
    """Mean squared distance of points in eight clouds from their codes, which all began in one corner."""
    draw, angle = torch.Generator().manual_seed(seed), torch.arange(8) * torch.pi / 4
    centres = 3 * torch.stack([angle.cos(), angle.sin()], dim=1)
    corner = 4 + 0.1 * torch.randn(8, 2, generator=draw)
    quantizer = quantizer_of(quantizer_class, corner, torch.ones(8), corner, 0.9, 0.1)
    for _ in range(steps):
        z = centres[torch.randint(8, (32,), generator=draw)] + 0.2 * torch.randn(32, 2, generator=draw)
        indices = torch.cdist(z, quantizer.codebook).argmin(dim=1)
        quantizer.update(z, indices, z[torch.randperm(32, generator=draw)])
    z = centres.repeat(50, 1) + 0.2 * torch.randn(400, 2, generator=draw)
    return torch.cdist(z, quantizer.codebook).min(dim=1).values.square().mean().item()


def tables(seed: int, states: int, actions: int, *, never: int = -1) -> tuple[torch.Tensor, tuple[float, ...]]:
    """Outcomes `(states, actions)` with arbitrary numbers, and uneven probabilities; that of `never` is 0."""
    draw = torch.Generator().manual_seed(seed)
    found = torch.randint(0, actions, (states, actions), generator=draw) * 7 - 3
    found += 100 * torch.randint(0, 4, (states, 1), generator=draw)
    chances = uniform(seed + 2, actions, low=0.1, high=1, dtype=torch.float64)
    chances *= torch.arange(actions) != never
    return found, tuple((chances / chances.sum()).tolist())


def labelled(seed: int, count: int, num_codes: int, num_actions: int) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Codes, actions that go with them more often than not, and how many codes there are. The last one is not seen."""
    draw = torch.Generator().manual_seed(seed)
    codes, by_chance = (torch.randint(n, (count,), generator=draw) for n in (num_codes - 1, num_actions))
    return codes, torch.where(by_chance % 2 == 0, by_chance, codes % num_actions), num_codes
