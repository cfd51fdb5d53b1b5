"""How good `rooms-latent-actions` is: bits of the keys in its codes, names for codes, and codes in other pasts.

The steps are of the test split, with fresh keys: the key does not depend on the frames before it, so all that a code
tells of a key was seen in the step itself. What can be seen at most is the ceiling (`evaluation.action_ceiling`).
"""

from collections.abc import Callable

import torch

from common.data.arcade import Rooms
from common.evaluation.action_ceiling import action_ceiling
from common.evaluation.arcade_reader import read_rooms
from common.evaluation.code_names import name_codes
from common.evaluation.mutual_information import matched_accuracy, mutual_information
from common.models.latent_action import PAST, latent_action_loss
from common.zoo.rooms_latent_actions.steps import Steps, fresh_steps
from common.zoo.settings import pick_setting

SETTINGS = {"small": (320, 48), "full": (800, 128)}  # steps; of them in other pasts
LABELLED = 200  # pairs with known keys
OTHER_SPEED = 3  # pixels per frame, up or down
BATCH = 64


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card: on steps without slimes, and with them (`slime/…`).

    Args:
        model: a `LatentActionModel`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    count, num_others = pick_setting(SETTINGS, setting)
    tell, found = progress or (lambda part: None), {}
    for done, prefix in enumerate(("", "slime/")):
        steps = fresh_steps(count, with_slime=bool(prefix))
        found |= {prefix + name: value for name, value in measure_codes(model, steps).items()}
        tell(done / 2 + 0.3)
        found |= {prefix + name: value for name, value in measure_transfer(model, steps, num_others).items()}
        tell(done / 2 + 0.5)
    return found


@torch.no_grad()
def inferred(model, steps: Steps) -> tuple[torch.Tensor, float]:
    """The codes of steps, int64 `(N,)`, and the share of the change that the decoder misses."""
    indices, missed, changed = [], 0.0, 0.0
    for first in range(0, len(steps), BATCH):
        clip = steps.pick(range(first, min(first + BATCH, len(steps)))).clips()
        found = latent_action_loss(model, clip)
        change = float((clip[:, :, -1] - clip[:, :, -2]).square().sum())
        indices.append(found.indices)
        missed, changed = missed + float(found.missed) * change, changed + change
    return torch.cat(indices), missed / changed


def measure_codes(model, steps: Steps) -> dict[str, float]:
    """What the codes tell of the keys.

    Returns:
        `bits`, `ceiling` and `of_ceiling`, their ratio; `matched`, the accuracy after one-to-one matching;
        `named`, the share of the steps beyond the first `LABELLED` that are named right; `missed` of the decoder.
        `effects/…`: the same of what the keys came to, by the game: the best that a code can mean without the state.
        `of_effects`: `bits` over theirs.
    """
    codes, missed = inferred(model, steps)
    found, due = judge(codes, steps), judge(steps.effects(), steps)
    del due["ceiling"]
    best = {f"effects/{name}": value for name, value in due.items()}
    return found | {"of_effects": found["bits"] / due["bits"], "missed": missed} | best


def judge(codes: torch.Tensor, steps: Steps) -> dict[str, float]:
    """`bits`, `ceiling`, `of_ceiling`, `matched` and `named` of any codes of steps, int64 `(N,)`."""
    keys = steps.actions
    bits, ceiling = mutual_information(codes, keys), action_ceiling(steps.outcomes, steps.probabilities)
    names = name_codes(codes[:LABELLED], keys[:LABELLED], int(codes.max()) + 1)
    right = names[codes[LABELLED:]] == keys[LABELLED:]
    return {
        "bits": bits,
        "ceiling": ceiling,
        "of_ceiling": bits / ceiling,
        "matched": matched_accuracy(codes, keys),
        "named": float(right.float().mean()),
    }


@torch.no_grad()
def measure_transfer(model, steps: Steps, count: int) -> dict[str, float]:
    """Codes applied to other pasts, read by the reader.

    Returns:
        `own`: the player is at the very pixel where the step's own code is applied to its own past; `transfer`: where
        it is applied to another past (`pairs`), and one of the keys that explain the step leads there from it;
        `transfer/chance`: the same with the code of a third step.
    """
    here, there, third = pairs(steps, count)
    made = {"own": drawn(model, here, here), "transfer": drawn(model, here, there),
            "transfer/chance": drawn(model, third, there)}  # fmt: skip
    found = {}
    for name, frames in made.items():
        due = places(here, here if name == "own" else there)
        seen = read_rooms(frames.transpose(0, 1))
        right = [one.num_players == 1 and one.player in possible for one, possible in zip(seen, due)]
        found[name] = sum(right) / len(right)
    return found


def pairs(steps: Steps, count: int) -> tuple[Steps, Steps, Steps]:
    """Steps, other pasts to apply them to, and third ones, `count` of each at most. All have room on both sides.

    In the other past the player rises or falls at another speed, by `OTHER_SPEED` at least. If a code carries
    speed, it shows: an action has none.
    """
    draw, free = torch.Generator().manual_seed(0), steps.has_room().nonzero()[:, 0]
    speed = torch.tensor([state.velocity for state in steps.states])
    here, third = (free[torch.randperm(len(free), generator=draw)[:count]] for _ in range(2))
    there = []
    for step in here:
        others = free[(speed[free] - speed[step]).abs() >= OTHER_SPEED]
        others = others if len(others) else free
        there.append(int(others[torch.randint(len(others), (1,), generator=draw)]))
    return steps.pick(here), steps.pick(there), steps.pick(third)


def drawn(model, donors: Steps, pasts: Steps) -> torch.Tensor:
    """The next frames of pasts, with what happened in the donors: `(N, 3, 64, 64)`."""
    frames = []
    for first in range(0, len(donors), BATCH):
        some = range(first, min(first + BATCH, len(donors)))
        given, clip = donors.pick(some).clips(), pasts.pick(some).clips()
        codes, _ = model.quantize(model.encode(given[:, :, :PAST], given[:, :, PAST]))
        frames.append(model.decode(clip[:, :, :PAST], codes).clamp(-1, 1))
    return torch.cat(frames)


def places(donors: Steps, pasts: Steps) -> list[set[tuple[int, int]]]:
    """Where the player may be in each past after any of the keys that explain the donor's step."""
    game, found = Rooms("test", with_slime=pasts.with_slime), []
    for row, action, state in zip(donors.outcomes.tolist(), donors.actions.tolist(), pasts.states):
        possible = set()
        for key, frame in enumerate(row):
            if frame == row[action]:
                game.set_state(state)
                game.step(key)
                possible.add((game.state().x, game.state().y))
        found.append(possible)
    return found
