"""Grader of lab 09.2. Oracles are loops in double precision around a network that is one formula."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch

from common.course.graders import Call, array, attempt, tensor, theorems, worlds
from common.course.graders.values import generators, noise, uniform
from common.data.arcade import Rooms
from common.data.arcade.tiles import BRICK
from common.evaluation.arcade_reader import read_state
from common.evaluation.arcade_rules import PARTS, RuleAgreement, judge_new_room, judge_step

exercise = pytest.mark.exercise
TWO_PIXELS = 2 / 127.5 + 1e-3  # a value between two pixels may be rounded to either side


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


corrupt = Call("corrupt_context", takes={"frames": "b c k h w", "level": "b", "eps": "b c k h w"}, fresh=True,
               gives=tensor("b c k h w", "same"), parameters=("frames", "level", "eps"))  # fmt: skip


def spoilt(frames, level, eps, *, signal=lambda x: 1.0, amount=lambda x: x, most=99, only=False, alike=False):
    """Oracle: sample by sample; and ways to do it wrong."""
    frames, level, eps = frames.double(), level.double(), eps.double()
    out = torch.empty_like(frames)
    for b, x in enumerate(level):
        out[b] = signal(x) * frames[b] + amount(level[0] if alike else x) * eps[b]
    if only:
        out[:, :, :-1] = frames[:, :, :-1]
    return out.clamp(-most, most)


@exercise("corrupt_context", points=4, hint="frames + level[:, None, None, None, None] * eps")
def test_corrupt(lab, seed, look):
    """frames + level · eps, with each sample's own level, in a new tensor that is not clamped"""
    rows = []
    for k, size in enumerate(((3, 2, 4, 5, 6), (2, 3, 1, 4, 7), (4, 3, 2, 5, 4), (5, 1, 5, 2, 3))):
        level = uniform(seed + k, size[0], low=0.1, high=0.9)
        rows.append((noise(seed + k, *size), level, noise(seed + 9 + k, *size)))
    answers = corrupt.table(lab, rows, spoilt, ways(spoilt, {
        "the level is a standard deviation: it is not a variance, so take no root": {"amount": torch.sqrt},
        "the level is squared. It is a standard deviation": {"amount": torch.square},
        "the frames are made weaker. They stay as they are, and noise is added": {"signal": lambda x: 1 - x},
        "the frames are scaled to keep the variance. They stay as they are": {"signal": lambda x: (1 - x * x).sqrt()},
        "the sum is clamped. The docstring says that it is not": {"most": 1.0},
        "only the last frame got noise. All K get it": {"only": True},
        "all samples have the first one's level": {"alike": True},
    }), because="it is frames + level · eps, with one level per sample")  # fmt: skip
    look(target=spoilt(*rows[0])[0, 0, 0], yours=answers[0].value[0, 0, 0], about="a frame with noise")
    theorems.owes(corrupt, lab, *rows[0])
    corrupt(lab, *(x.double() for x in rows[1])).near(spoilt(*rows[1]), because="the frames' dtype is kept")
    corrupt(lab, rows[0][0], torch.zeros(3), rows[0][2]).equal(rows[0][0], because="at level 0 nothing changes")


def one_frame(model, past, actions, num_steps=2, context_noise=0.0, source=None, eps=None, *, told=True, noisy=True,
              eps_first=False, always=False, start=None, to_mean=False, rho=7.0, drop=0):  # fmt: skip
    """Oracle of `sample_next` before rounding, and ways to do it wrong. `source`: generators, or seeds of them."""
    source = generators(source) if isinstance(source, int | tuple) else source
    size = (*past.shape[:2], *past.shape[3:])
    early = worlds.draw(size, source) if eps_first and eps is None else eps
    if context_noise > 0 or always:
        drawn = worlds.draw(past.shape, source)
        past = past.double() + (context_noise if noisy else 0) * drawn.double()
    eps = worlds.draw(size, source) if early is None else early
    sigmas = worlds.karras(num_steps, model.config.sigma_max, rho)[: num_steps + 1 - drop]
    x = (sigmas[0] if start is None else start) * eps.double()
    level = torch.full((len(past),), context_noise if told else 0.0, dtype=torch.float64)
    for sigma, after in itertools.pairwise(sigmas):
        x0 = worlds.denoised(model, x, sigma, past.double(), actions, level)
        x = x0 if to_mean else x + (after - sigma) * (x - x0) / sigma
    return worlds.quantized(x)


sample = Call("sample_next", takes={"past": "b c k h w", "actions": "b k", "eps": "b c h w"},
              parameters=("model", "past", "actions", "num_steps", "context_noise", "seed", "eps"),
              gives=tensor("b c h w", torch.float32))  # fmt: skip


@exercise("sample_next", points=6, needs=("corrupt_context",), hint="x = x + (after - sigma) * (x - x0) / sigma")
def test_sample(lab, seed, look):
    """noise on the past first, Euler's steps from sigma · eps down the levels, the level told; then rounded"""
    sizes = ((3, 2, 4, 5, 6, 6), (2, 3, 2, 4, 7, 3), (4, 1, 3, 6, 2, 5), (2, 2, 2, 3, 5, 4), (3, 3, 1, 2, 4, 2))
    settings = (3, 0.3, 7), (1, 0.0, 3), (2, 0.5, (4, 1, 8, 2)), (5, 0.0, 6), (2, 0.7, 5, noise(seed + 8, 3, 3, 2, 4))
    rows = [(*worlds.begun(seed + k, *size), *more) for k, (size, more) in enumerate(zip(sizes, settings))]
    answers = sample.table(worlds.seeded(lab.sample_next), rows, one_frame, ways(one_frame, {
        "the network is not told the level: it gets 0": {"told": False},
        "there is no noise on the past": {"noisy": False},
        "eps is drawn before the noise on the past. It comes after it": {"eps_first": True},
        "noise on the past is drawn where there is none": {"always": True},
        "the sample begins as eps. It begins as sigma · eps": {"start": 1.0},
        "each step lands on the estimate. A step goes only to the next level": {"to_mean": True},
        "the levels are evenly spaced. Use world_sigmas": {"rho": 1.0},
        "the last step is missing: the levels end at 0": {"drop": 1},
    }), tolerance=TWO_PIXELS, because="see the docstring's steps")  # fmt: skip
    look(target=one_frame(*rows[0])[0, 0].float(), yours=answers[0].value[0, 0], about="one channel of the next frame")
    for answer in answers:
        steps = (answer.value.double() + 1) * 127.5
        right = (steps - steps.round()).abs().max() < 1e-3 and answer.value.abs().max() <= 1
        assert right, f"{answer.said} has values that no pixel has: end with quantize"


@exercise("sample_next", points=3, needs=("corrupt_context",), hint="for sigma, after in pairwise(world_sigmas(…))")
def test_calls(lab, seed):
    """one call of the network per step, at the levels of world_sigmas, and in each of them the same noisy past"""
    for n, level in ((1, 0.4), (3, 0.0), (4, 0.2)):
        model, past, actions = worlds.begun(seed + n, 2, 3, 2, 4, 5, 3)
        sample(worlds.seeded(lab.sample_next), model, past, actions, n, level, 1)
        said = f"sample_next(model, past, actions, {n}, context_noise={level})"
        assert len(model.calls) == n, f"{said} calls the network {len(model.calls)} times, and it takes {n} steps"
        for (c_noise, seen, told), sigma in zip(model.calls, worlds.karras(n, 4.0)):
            found = (4 * c_noise).exp()
            words = f"{said} calls the network at sigma = {found[0]:.4g} where the level is {sigma:.4g}"
            assert (found - sigma).abs().max() < 1e-4 * (1 + sigma), words
            assert (told - level).abs().max() < 1e-6, f"{said} tells the network the level {told[0]:.4g}, not {level}"
            assert torch.equal(seen, model.calls[0][1]), f"{said}: noise is drawn for every step. Draw it once"


@exercise("sample_next", points=2, needs=("corrupt_context",), hint="randn_tensor(size, generator, device, dtype)")
def test_sample_owes(lab, seed):
    """all chance comes from the generators, one per sample in a list; float32 whatever the past is"""
    model, past, actions = worlds.begun(seed, 3, 2, 4, 5, 6, 5)
    run, eps = worlds.seeded(lab.sample_next), noise(seed, 3, 2, 5, 6)
    other = worlds.begun(seed + 4, 2, 2, 4, 3, 5, 5)[1:]
    calls = {"other": (model, *other, 3, 0.3, 2), "tolerance": TWO_PIXELS}
    theorems.owes(sample, run, model, past, actions, 2, 0.0, 5, eps, **calls)
    together = sample(run, model, past, actions, 2, 0.3, (5, 6, 7))
    alone = sample(run, model, past[2:], actions[2:], 2, 0.3, (7,))
    alone.near(together.value[2:], tolerance=TWO_PIXELS, because="with a list of generators, a sample is alone")
    double = sample(run, model, past.double(), actions, 2, 0.0, 5)
    double.near(one_frame(model, past, actions, 2, 0.0, 5), tolerance=TWO_PIXELS, because="eps is drawn in float32")
    theorems.leaves_random_numbers_alone("sample_next(…, generator=…)", run, model, past, actions, 2, 0.3, 5)
    free = [sample(run, model, past, actions, 1, level, None).value for level in (0.0, 0.0, 0.2)]
    assert not torch.equal(*free[:2]), "sample_next(…, generator=None) draws the same frame twice"
    again = lambda generator: lab.sample_next(model, past, actions, generator=generator)  # noqa: E731
    theorems.moves_on("sample_next(…)", again, torch.Generator().manual_seed(seed))


def many_frames(model, past, actions, num_steps, context_noise, seed, *, frozen=False, lag=0, front=False, keep=False,
                same=False, clean=False, held=False):  # fmt: skip
    """Oracle of `rollout`: frame by frame, `(B, N, C, H, W)`; and ways to do it wrong."""
    source, k, frames = generators(seed), past.shape[2], []
    for n in range(actions.shape[1] - k + 1):
        first = 0 if held else min(max(0, n + lag), actions.shape[1] - k)
        twin = torch.Generator().set_state(source.get_state())
        level = 0.0 if clean else context_noise
        frames.append(one_frame(model, past, actions[:, first : first + k], num_steps, level, source))
        remembered = past.double() + (level * worlds.draw(past.shape, twin).double() if keep and level else 0)
        newest = frames[-1][:, :, None]
        moved = (newest, remembered[:, :, :-1]) if front else (remembered[:, :, 1:], newest)
        past = past if frozen else torch.cat(moved, dim=2)
        source = twin if same else source
    return torch.stack(frames, dim=1)


roll = Call("rollout", takes={"past": "b c k h w", "actions": "b m"}, gives=tensor("b n c h w", torch.float32),
            parameters=("model", "past", "actions", "num_steps", "context_noise", "seed"),
            sizes=lambda given: {"n": given["actions"].shape[1] - given["past"].shape[2] + 1})  # fmt: skip


@exercise("rollout", points=5, needs=("sample_next",), hint="actions.unfold(1, K, 1).unbind(dim=1); then push")
def test_rollout(lab, seed, look):
    """every frame from the last K frames and their actions, then the newest of them; noise anew for each"""
    rows, sizes = [], ((3, 2, 4, 5, 6, 6), (2, 3, 2, 4, 7, 3), (2, 1, 3, 6, 2, 5))
    for k, (size, frames, more) in enumerate(zip(sizes, (5, 4, 3), ((2, 0.3, 7), (1, 0.2, 3), (3, 0.5, 4)))):
        pressed = worlds.keys(seed + k, size[0], size[2] - 1 + frames, size[5])
        rows.append((*worlds.begun(seed + k, *size)[:2], pressed, *more))
    answers = roll.table(worlds.rolled(lab.rollout), rows, many_frames, ways(many_frames, {
        "the past stays as it was. Each frame is the newest of it from then on": {"frozen": True},
        "the actions are one too early: those of frame n are n … n + K - 1": {"lag": -1},
        "the actions are one too late: those of frame n are n … n + K - 1": {"lag": 1},
        "every frame gets the first K actions": {"held": True},
        "the new frame is put in front. The past is oldest first": {"front": True},
        "the noise stays on the past. It is drawn anew, on frames without noise": {"keep": True},
        "every frame gets the same noise. One generator goes on from frame to frame": {"same": True},
        "the context noise is not handed on to sample_next": {"clean": True},
    }), tolerance=2 * TWO_PIXELS, because="each frame is made from the last K frames and their actions")  # fmt: skip
    look(target=many_frames(*rows[0])[0, :, 0, 0].float(), yours=answers[0].value[0, :, 0, 0], about="a row, over time")


@exercise("rollout", points=3, needs=("sample_next",), hint="yield frame, in the loop; ValueError before the first")
def test_rollout_owes(lab, seed):
    """frames come one at a time, each when it is drawn; K actions give one frame, fewer are refused"""
    model, past, _ = worlds.begun(seed, 2, 3, 4, 5, 6, 5)
    pressed = worlds.keys(seed, 2, 6, 5)
    frames = attempt("rollout(…)", lab.rollout, model, past, pressed, 2, generator=generators(3))
    assert hasattr(frames, "__next__"), "rollout(…) should yield its frames: an iterator, not a list or a tensor"
    for count in (1, 2, 3):
        attempt("next(rollout(…))", next, frames)
        words = f"rollout(…, num_steps=2) has called the network {len(model.calls)} times when frame {count} is there"
        assert len(model.calls) == 2 * count, f"{words}. Compute a frame when it is drawn"
    one = roll(worlds.rolled(lab.rollout), model, past, pressed[:, :4], 1, 0.0, 5)
    due = many_frames(model, past, pressed[:, :4], 1, 0.0, 5)
    one.near(due, tolerance=TWO_PIXELS, because="K actions give one frame")
    for few in (3, 0):
        because = f"there are 4 frames and {few} actions"
        roll.refuses(worlds.rolled(lab.rollout), model, past, pressed[:, :few], 2, 0.0, 5, because=because)
    usual = list(attempt("rollout(…)", lab.rollout, model, past, pressed, generator=generators(3)))
    off = (torch.stack(usual, dim=1) - many_frames(model, past, pressed, 2, 0.0, 3)).abs().max()
    assert off <= 4 * TWO_PIXELS, "rollout(model, past, actions) takes 2 steps, without noise"
    theorems.owes(roll, worlds.rolled(lab.rollout), model, past, pressed, 2, 0.3, (4, 5), batch_of_one=False,
                  tolerance=2 * TWO_PIXELS, other=(model, past, pressed, 1, 0.0, 1))  # fmt: skip


def faulty(seed):
    """The same with faults of every part. The player is lost before flights and after events, too."""
    readings, actions = map(list, worlds.eventful(seed, 90))
    flights = [t - 1 for t in range(4, 80) if getattr(read_state(readings[t], readings[t - 1]), "velocity", 0)]
    after = [t + 2 for t, (_, events) in enumerate(judged(readings, actions)[:80]) if events]
    changes = {t: {"player": None, "num_players": 0} for t in (7, 52, 53, *flights[::9], *after[::2])}
    changes |= {15: {"num_players": 2}, 22: {"coins": 6}, 30: {"has_key": None}, 60: {"slime": (3, 51)}}
    changes |= {41: {"tiles": bytes([BRICK]) + readings[41].tiles[1:]}, 71: {"player": (29, 20)}}
    for t, change in changes.items():
        readings[t] = replace(readings[t], **change)
    return readings, actions


def verdicts(readings, actions, **wrong):
    """Oracle: four rows of verdicts, and ways to do it wrong."""
    return np.array([verdict for verdict, _ in judged(readings, actions, **wrong)], dtype=bool).T


def judged(readings, actions, *, lag=0, velocity=True, free=False, doors=True, late=0, lost=False, swap=False):
    """Verdict and events of every step."""
    game, found, running = Rooms(), [], False
    for t in range(1, len(readings) - 1):
        state = read_state(readings[t], readings[t - 1] if velocity else None)
        if state is None:
            found.append(((lost,) * 4, ()))
            continue
        if not (free and running):
            game.set_state(state)
        running, was, events = True, game.state() if free else state, game.step(actions[t + lag])
        judge = judge_new_room if doors and "door" in events else judge_step
        given = (game.state(), was) if swap else (was, game.state())
        found.append((judge(*given, readings[t + 1 - late]), events))
    return found


def parts_of(function):
    """`rule_agreement` with its four parts as one array `(4, T - 2)`."""

    def call(readings, actions):
        found = function(readings, actions)
        assert isinstance(found, RuleAgreement), "rule_agreement(…) should return a RuleAgreement"
        for part in PARTS:
            value, due = getattr(found, part), (len(readings) - 2,)
            assert isinstance(value, np.ndarray), f"{part} of rule_agreement(…) should be a NumPy array"
            words = f"{part} of rule_agreement(…) should be bools {due}, not {value.dtype} {value.shape}"
            assert value.dtype == bool and value.shape == due, words
        return np.stack([getattr(found, part) for part in PARTS])

    return call


agree = Call("rule_agreement", parameters=("readings", "actions"), gives=array("p s", bool))


@exercise("rule_agreement", points=6, hint="state = read_state(now, before); game.set_state(state); game.step(action)")
def test_agreement(lab, seed, look):
    """each frame judged by the frame before it: the state read there, the action pressed there, one step"""
    readings, actions = worlds.eventful(7 * seed, 90)
    rows = [(readings, actions), faulty(7 * seed), (readings[:3], actions[:2]), (readings[20:40], actions[21:40])]
    rows += [(*worlds.eventful(7 * seed + 3, 90)[:1], [*actions[1:], 0])]
    answers = agree.table(parts_of(lab.rule_agreement), rows, verdicts, ways(verdicts, {
        "the action before is pressed: off by one. actions[t] leads from frame t to frame t + 1": {"lag": -1},
        "the state has no velocity: read_state wants the reading before it, too": {"velocity": False},
        "the engine runs on from its own state. Set it to what is read in every frame": {"free": True},
        "behind a door the room is new: there judge_new_room judges": {"doors": False},
        "the frame itself is judged. It is the one after it that must follow": {"late": 1},
        "without a player all four parts are wrong": {"lost": True},
        "the judge gets the two states in the wrong order: was, due, seen": {"swap": True},
    }), tolerance=0, because="set the engine to the state that is read, step, and let the judge compare")  # fmt: skip
    due = verdicts(*rows[1])[0].astype(float)
    look(target=due, yours=answers[1].value[0].astype(float), about="the player's steps")


@exercise("rule_agreement", points=3, hint="events.append(game.step(action)), and () without a player")
def test_events(lab, seed):
    """the engine's events of every step, none without a player; numbers that do not fit are refused"""
    for readings, actions in (worlds.eventful(7 * seed, 90), faulty(7 * seed)):
        found = attempt("rule_agreement(readings, actions)", lab.rule_agreement, readings, actions)
        due = [events for _, events in judged(readings, actions)]
        assert len(found.events) == len(due), f"{len(found.events)} steps have events, and there are {len(due)} steps"
        for t, (one, other) in enumerate(zip(found.events, due)):
            words = f"in step {t} the engine says {other}, and the agreement has {one}"
            assert tuple(one) == other, words + (". Without a player there are none" if not other else "")
    readings, actions = worlds.eventful(7 * seed, 90)
    agree.refuses(parts_of(lab.rule_agreement), readings[:2], actions[:1], because="2 readings are too few")
    for wrong in (actions, actions[:3], []):
        agree.refuses(parts_of(lab.rule_agreement), readings[:5], wrong, because=f"5 readings, {len(wrong)} actions")


steps = Call("step", takes={"past": "b c k h w", "before": "j", "keys": "n"}, gives=tensor("n h w c"),
             parameters=("model", "past", "before", "keys", "num_steps", "context_noise", "seed"))  # fmt: skip


def session_frames(model, past, before, keys, num_steps, context_noise, seed, **wrong):
    """Oracle: the rollout with the same keys."""
    made = many_frames(model, past, torch.cat([before, keys])[None], num_steps, context_noise, seed, **wrong)
    return made[0].permute(0, 2, 3, 1)


@exercise("WorldSession", points=5, needs=("sample_next",), hint="[*self.actions, action] are the K actions; then push")
def test_session(lab, seed, look):
    """each step is one turn of the rollout, with the session's own past, settings and generator"""
    rows = [(*worlds.sitting(seed + k, *size), *more) for k, (size, more) in enumerate(
        (((4, 6, 5), (2, 0.3, 7)), ((2, 3, 6, 5, 3), (1, 0.0, 3)), ((3, 5, 4, 2, 5), (3, 0.5, 4))))]  # fmt: skip
    answers = steps.table(worlds.stepped(lab.WorldSession), rows, session_frames, ways(session_frames, {
        "the past does not move on: self.past = push(self.past, frame)": {"frozen": True},
        "the actions do not move on, or the key is not in them: the last K are [*self.actions, action]": {"held": True},
        "the key comes a frame too late": {"lag": -1},
        "the new frame is put in front. The past is oldest first": {"front": True},
        "every step draws the same noise. self.generator goes on from step to step": {"same": True},
    }), tolerance=2 * TWO_PIXELS, because="a step makes what the rollout makes")  # fmt: skip
    due = session_frames(*rows[0])[:, 0, :, 0].float()
    look(target=due, yours=answers[0].value[:, 0, :, 0], about="a row, over time")


@exercise("WorldSession", points=3, needs=("sample_next",), hint="self.world.checked(action) comes first")
def test_session_state(lab, seed):
    """past and actions move on by one; settings may change between steps; a wrong key changes nothing"""
    model, past, before, pressed = worlds.sitting(seed, 4, 5, 6)
    session = lab.WorldSession(worlds.arcade(model), past, given := before.tolist(), 3, 2, 0.2)
    first = attempt("session.step(action)", session.step, int(pressed[0])).copy()
    words = f"after a step `actions` is {list(session.actions)}. The oldest goes, and the key that was pressed comes"
    assert list(session.actions) == [*before.tolist()[1:], int(pressed[0])], words
    assert given == before.tolist(), "a step writes into the list of actions that was given: make a new one"
    assert session.past.shape == past.shape, f"after a step `past` has the shape {tuple(session.past.shape)}"
    assert torch.equal(session.past[:, :, :-1], past[:, :, 1:]), "after a step `past` begins with its second frame"
    shown = ((session.past[0, :, -1] + 1) * 127.5).permute(1, 2, 0)
    assert (shown - torch.from_numpy(first)).abs().max() < 1e-3, "the last frame of `past` is the one that is shown"
    kept = session.past.clone(), list(session.actions), session.generator.get_state()
    for wrong in (5, -1):
        Call("session.step", parameters=("action",)).refuses(session.step, wrong, because="there are 5 actions")
        now = session.past, session.generator.get_state()
        same = list(session.actions) == kept[1] and all(map(torch.equal, now, kept[::2]))
        assert same, f"after step({wrong}) the session is not as it was: check the action before anything else"
    session.num_steps, session.context_noise = 3, 0.6
    window = torch.tensor([[*kept[1], int(pressed[1])]])
    due = one_frame(model, kept[0], window, 3, 0.6, torch.Generator().set_state(kept[2]))[0].permute(1, 2, 0)
    got = torch.from_numpy(attempt("session.step(action)", session.step, int(pressed[1]))) / 127.5 - 1
    assert (got - due).abs().max() <= TWO_PIXELS, "a step does not heed that num_steps and context_noise were changed"
