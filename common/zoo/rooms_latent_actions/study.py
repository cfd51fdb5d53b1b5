"""What makes latent actions actions: the shipped model beside models with slimes, without codes, without training."""

import torch

from common.models.latent_action import LatentActionModel
from common.zoo.rooms_latent_actions.measures import BATCH, inferred, judge, measure_transfer
from common.zoo.rooms_latent_actions.steps import Steps, fresh_steps
from common.zoo.rooms_latent_actions.trials import clusters, kmeans_codes


def study(shipped, slime, plain, free, plain_free, count: int = 800, num_others: int = 128) -> dict:
    """Every arm in numbers, on steps of the kind that it was trained on.

    Args:
        shipped: `rooms-latent-actions`.
        slime: the same, trained on videos with slimes.
        plain: the same, but its encoder sees all that changes.
        free: 64 free numbers in place of codes.
        plain_free: 64 free numbers, and its encoder sees all that changes.
        count: test steps.
        num_others: of them in other pasts.

    Returns:
        `count` and `arms`: by name, what `judge` and `measure_transfer` find, as far as it has a meaning, and `missed`.
    """
    calm, crowded = (fresh_steps(count, with_slime=with_slime) for with_slime in (False, True))
    seen = {steps: fresh_steps(count, "train", with_slime=steps.with_slime) for steps in (calm, crowded)}
    arms = {
        "8 codes (ships)": coded(shipped, calm, num_others),
        "8 codes, slimes on": coded(slime, crowded, num_others),
        "8 codes, slimes in the test alone": coded(shipped, crowded, num_others),
        "8 codes, without foresight": coded(plain, calm, num_others),
        "64 numbers": free_numbers(free, seen[calm], calm, num_others),
        "64 numbers, without foresight": free_numbers(plain_free, seen[calm], calm, num_others),
        "k-means of frame differences": judge(kmeans_codes(seen[calm], calm, 8), calm),
        "untrained encoder": judge(inferred(untrained(calm), calm)[0], calm),
        "what the keys came to": judge(calm.effects(), calm),
        "the same, slimes on": judge(crowded.effects(), crowded),
    }
    return {"count": count, "arms": {name: {k: round(v, 4) for k, v in arm.items()} for name, arm in arms.items()}}


def coded(model, steps: Steps, num_others: int) -> dict[str, float]:
    """A model with codes."""
    codes, missed = inferred(model, steps)
    return judge(codes, steps) | {"missed": missed} | measure_transfer(model, steps, num_others)


def free_numbers(model, seen: Steps, steps: Steps, num_others: int) -> dict[str, float]:
    """A model without codes. What it says of each step is sorted into 8 clusters, so that bits can be counted."""
    codes = clusters(said(model, seen), said(model, steps), 8)
    return judge(codes, steps) | {"missed": inferred(model, steps)[1]} | measure_transfer(model, steps, num_others)


@torch.no_grad()
def said(model, steps: Steps) -> torch.Tensor:
    """What the encoder says of steps, `(N, D)`."""
    found = []
    for first in range(0, len(steps), BATCH):
        clip = steps.pick(range(first, min(first + BATCH, len(steps)))).clips()
        found.append(model.encode(clip[:, :, :-1], clip[:, :, -1]))
    return torch.cat(found)


@torch.no_grad()
def untrained(steps: Steps, seed: int = 0, **sizes) -> LatentActionModel:
    """A fresh model whose codes are put on vectors that it gives.

    Args:
        steps: whose first `BATCH` vectors are offered.
        seed: of the weights.
        sizes: of the model.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = LatentActionModel(**sizes).eval().requires_grad_(False)
    clip = steps.pick(range(min(BATCH, len(steps)))).clips()
    z = model.encode(clip[:, :, :-1], clip[:, :, -1])
    model.quantizer.codebook.copy_(z[torch.randperm(len(z), generator=torch.Generator().manual_seed(seed))[:8]])
    return model
