"""How good `arcade-catch` is: the next frame, the action matrix, and dreams judged by the rules of the game.

The action matrix asks from one past for every key's future. Its pasts leave the paddle room on both sides, so the three
futures differ. The reader measures where the paddle went, and inverse dynamics, trained here on real frames, says which
key it sees. In a dream each step is judged by itself: the state is read at frame t, the engine steps from it with the
same key, and is compared with frame t + 1. The network computes in float32.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from common.data.arcade import Catch, Recording, arcade_recording, mixed_player, record, transitions
from common.data.arcade.catch import FIRST_ROW, LAST_ROW
from common.evaluation.arcade_reader import CatchReading, read_catch, read_catch_state
from common.evaluation.catch_engine import catch_engine, free_windows
from common.evaluation.inverse_dynamics import action_confusion, action_matrix, fit_inverse_dynamics, told_is_seen
from common.streaming.world import rollout, sample_next
from common.zoo.settings import pick_setting

SETTINGS = {"small": (48, 2, 60), "full": (192, 8, 250)}  # pasts; dreams, and frames in each
NUM_STEPS, CONTEXT_NOISE = 3, 0.2  # as `flipbook play` has them
PLAY = 500  # frames of a test play
SIGNS = (0, -1, 1)  # of the paddle's motion, by action
BATCH = 48


def measure(model, setting: str = "small", progress: Callable[[float], None] | None = None) -> dict[str, float]:
    """Every number of the card.

    Args:
        model: a `WorldUNet`.
        setting: "small" or "full".
        progress: called with the part that is done.

    Raises:
        ValueError: there is no such setting.
    """
    num_pasts, num_games, num_frames = pick_setting(SETTINGS, setting)
    tell = progress or (lambda part: None)
    plays = record(Catch("test"), mixed_player("catch"), 16, PLAY, progress=False)
    found = measure_next(model, plays, num_pasts)
    tell(0.2)
    found |= measure_actions(model, plays, num_pasts)
    tell(0.4)
    return found | measure_dreams(model, plays, num_games, num_frames, lambda part: tell(0.4 + 0.6 * part))


def world(model, num_steps: int = NUM_STEPS, context_noise: float = 0.0, seed: int = 0) -> Callable:
    """The model as a world `(eps, past, actions) -> next frames`, for `action_matrix`.

    Args:
        model: a `WorldUNet`.
        num_steps: calls of the model per frame.
        context_noise: level of the noise on the past; the same draw each time.
        seed: of that noise.
    """

    def next_frames(eps: torch.Tensor, past: torch.Tensor, actions: torch.Tensor) -> torch.Tensor:
        options = {"context_noise": context_noise, "generator": torch.Generator().manual_seed(seed)}
        rows = zip(*(x.split(BATCH) for x in (past, actions, eps)))
        return torch.cat([sample_next(model, *row[:2], num_steps, eps=row[2], **options) for row in rows])

    return next_frames


@torch.no_grad()
def measure_next(model, plays: Recording, count: int) -> dict[str, float]:
    """The next frame from a real past, on windows spread evenly over plays, those before a serve left out.

    Returns:
        For 1, 2 and 3 steps `paddle_…` and `ball_…`, the parts in which they are at the very pixel. `copy_last/…`: the
        last frame again.
    """
    context, num_plays = model.config.context, len(plays.frames)
    firsts = np.linspace(1, PLAY - context - 1, 2 * -(-count // num_plays)).round().astype(int)
    places = [(number, int(first)) for first in firsts for number in range(num_plays)]
    batch = plays.windows(places, context + 1)
    past, actions, due = transitions(batch.clips(), batch.actions, context)
    truth = read_catch(due.transpose(0, 1))
    keep = [k for k, seen in enumerate(truth) if seen.ball and seen.ball[1] != FIRST_ROW][:count]
    past, actions, truth = past[keep], actions[keep], [truth[k] for k in keep]
    eps = torch.randn(past[:, :, 0].shape, generator=torch.Generator().manual_seed(0))
    made = {f"{n}": world(model, n)(eps, past, actions) for n in (1, 2, 3)}
    seen = {f"_{name}": read_catch(frames.transpose(0, 1)) for name, frames in made.items()}
    found = {}
    for part in ("paddle", "ball"):
        for name, readings in seen.items():
            found[part + name] = share(getattr(a, part) == getattr(b, part) for a, b in zip(readings, truth))
        last = read_catch(past[:, :, -1].transpose(0, 1))
        found[f"copy_last/{part}"] = share(getattr(a, part) == getattr(b, part) for a, b in zip(last, truth))
    return found


@torch.no_grad()
def measure_actions(model, plays: Recording, count: int) -> dict[str, float]:
    """The action matrix of the model, of the engine, and of the model that is told no action.

    Returns:
        `sign`: futures in which the paddle moves as the key says, left, right or not at all. `told_seen`: those in
        which inverse dynamics sees the key that was told; `engine/…` on the engine's own futures, which are real
        frames; `ratio`: the first over the second. `no_action/…`: every key is replaced by the null action.
    """
    context = model.config.context
    batch = plays.windows(free_windows(plays, context + 1, count), context + 1)
    past, actions, _ = transitions(batch.clips(), batch.actions, context)
    eps = torch.randn(past[:, :, 0].shape, generator=torch.Generator().manual_seed(0))
    dream = world(model, context_noise=CONTEXT_NOISE)
    untold = torch.ones(len(past), dtype=torch.bool)
    worlds = {
        "": dream,
        "engine/": catch_engine,
        "no_action/": lambda eps, past, actions: dream(eps, past, model.actions.drop(actions, untold)),
    }
    probe = fit_inverse_dynamics(arcade_recording("catch", 20_000), len(SIGNS))
    found = {}
    for name, next_frame in worlds.items():
        matrix = action_matrix(next_frame, past, actions, eps, len(SIGNS))
        found[f"{name}sign"] = sign_right(past[:, :, -1], matrix)
        found[f"{name}told_seen"] = told_is_seen(action_confusion(probe, past[:, :, -1], matrix))
    return found | {"ratio": found["told_seen"] / found["engine/told_seen"]}


def sign_right(last: torch.Tensor, matrix: torch.Tensor) -> float:
    """The share of an action matrix's futures in which the paddle moves as the key says: left, right or not at all.

    Args:
        last: the last frame of each past, `(B, 3, 32, 32)`, the paddle not at an edge.
        matrix: `(B, 3, 3, 32, 32)`: past, action, colour, height, width.
    """
    begin, right = read_catch(last.transpose(0, 1)), []
    for sign, frames in zip(SIGNS, matrix.transpose(0, 1)):
        for before, after in zip(begin, read_catch(frames.transpose(0, 1))):
            right.append(after.paddle is not None and np.sign(after.paddle - before.paddle) == sign)
    return share(right)


@torch.no_grad()
def measure_dreams(model, plays: Recording, num_games: int, num_frames: int, progress=lambda part: None) -> dict:
    """Dreams with the keys of test plays.

    Returns:
        `rule_paddle`, `rule_ball`: steps that follow the rules. `one_ball`: frames that show exactly one ball and a
        paddle; `present_end`: dreams whose last frame does.
    """
    context = model.config.context
    batch = plays.windows([(number, 0) for number in range(num_games)], context + num_frames)
    clips, actions = batch.clips(), batch.actions
    noise = [torch.Generator(model.device).manual_seed(number) for number in range(num_games)]
    frames = [clips[:, :, k] for k in range(context)]
    dream = rollout(model, clips[:, :, :context], actions, NUM_STEPS, context_noise=CONTEXT_NOISE, generator=noise)
    for k, frame in enumerate(dream):
        frames.append(frame)
        progress((k + 1) / num_frames)
    readings = [read_catch(clip) for clip in torch.stack(frames, dim=2)]
    verdicts = [verdict for seen, keys in zip(readings, actions.tolist()) for verdict in judge_steps(seen, keys)]
    whole = [[one.num_balls == 1 and one.paddle is not None for one in seen[context:]] for seen in readings]
    return {
        "rule_paddle": share(paddle for paddle, _ in verdicts),
        "rule_ball": share(ball for _, ball in verdicts),
        "one_ball": share(one for game in whole for one in game),
        "present_end": share(game[-1] for game in whole),
    }


def judge_steps(readings: Sequence[CatchReading], actions: Sequence[int]) -> list[tuple[bool, bool]]:
    """Whether paddle and ball follow the rules in each step, from the third frame on.

    A serve may be anywhere in its row. Right after it the drift is not known yet.

    Args:
        readings: of T frames.
        actions: T - 1; `actions[t]` leads from frame t to frame t + 1.
    """
    engine, found = Catch(), []
    for before, now, seen, action in zip(readings, readings[1:], readings[2:], actions[1:]):
        state = read_catch_state(now, before)
        if state is None or seen.ball is None or seen.num_balls != 1:
            found.append((False, False))
            continue
        engine.set_state(state)
        engine.step(action)
        due = engine.state()
        if state.ball_y >= LAST_ROW:
            ball = seen.ball[1] == FIRST_ROW
        elif before.ball is None or now.ball[1] != before.ball[1] + 1:
            ball = seen.ball[1] == due.ball_y and abs(seen.ball[0] - now.ball[0]) <= 1
        else:
            ball = seen.ball == (due.ball_x, due.ball_y)
        found.append((seen.paddle == due.paddle, ball))
    return found


def share(right) -> float:
    """The part that is true."""
    return float(np.mean(list(right)))
