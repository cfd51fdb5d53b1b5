"""Grader of lab 09.4, a policy trained in the dream. Oracles are loops, in double precision where numbers count."""

import itertools
from functools import partial

import pytest
import torch
from torch.nn import functional as F

from common.course.graders import Call, record, tensor, theorems
from common.course.graders import dreams as doubles
from common.course.graders.dreams import by_step, dreaming, learning, moments, trained
from common.course.graders.values import coins, generators, noise, uniform
from common.models.rssm import RSSMState

exercise = pytest.mark.exercise


def ways(oracle, wrong):
    """Message to mistake: the oracle with these keyword arguments in addition."""
    return {message: lambda *args, w=how, **given: oracle(*args, **given | w) for message, how in wrong.items()}


PARTS = {"frames": tensor("n l ...", "same"), "actions": tensor("n l", torch.int64)}
PARTS |= {name: tensor("n l", torch.float32) for name in ("rewards", "continues")}
cut = Call("episode_windows", takes={"frames": "t ...", "actions": "u", "rewards": "u", "ends": "u"},
           parameters=("frames", "actions", "rewards", "ends", "length"), gives=record("object", **PARTS),
           sizes=lambda given: {"l": given["length"]})  # fmt: skip


def one_by_one(frames, actions, rewards, ends, length, part, *, shift=0, cross=0, skip=False, turned=False, stride=1,
               first=0):  # fmt: skip
    """Oracle: window by window; and ways to do it wrong."""
    rows, last = [], [False, *ends.tolist()]
    for start in range(0, len(frames) - length + 1, stride):
        inner = range(start + (cross == 1), start + length - (cross != 2))
        if (any(last[t] for t in inner) and cross != 3) or (skip and start and not last[start - 1]):
            continue
        steps = [min(max(t - 1 + shift, 0), len(actions) - 1) for t in range(start + 1, start + length)]
        row, goes_on = {"frames": frames[start : start + length]}, 1.0 - ends.float()
        for name, of, empty in (("actions", actions, 0), ("rewards", rewards, 0.0), ("continues", goes_on, 1.0)):
            led = of[start - 1] if first and start else empty
            row[name] = torch.tensor([led, *(of[k] for k in steps)], dtype=PARTS[name].dtype)
        rows.append(1 - row[part] if turned else row[part])
    return torch.stack(rows)


PLAYS = ((13, (3, 8), (), 3), (11, (4,), (2, 3), 4), (9, (), (4,), 2), (12, (0, 6, 10), (1, 2), 3), (6, (), (), 6))


def plays(seed):
    """Plays with their ends, of frames of several shapes, and lengths of windows."""
    return [(*doubles.numbered_play(seed + k, *of), length) for k, (*of, length) in enumerate(PLAYS)]


@exercise("episode_windows", points=3, hint="crosses = is_last[:-1].unfold(0, length - 1, 1).any(dim=1)")
def test_windows(lab, seed, look):
    """which windows there are: all that lie inside an episode, of which the last frame may be the end"""
    mistakes = ways(one_by_one, {
        "windows reach over the end of an episode": {"cross": 3},
        "a window may not begin with the last frame of an episode: it reaches over the end": {"cross": 1},
        "the last frame of an episode may be the last of a window: nothing else shows how episodes end": {"cross": 2},
        "windows overlap: there is one for every first frame": {"stride": 2},
        "a window may begin anywhere in an episode, not only with its first frame": {"skip": True},
    })  # fmt: skip
    rows = plays(seed)
    said = {words: lambda *row, m=mistake: m(*row, part="frames") for words, mistake in mistakes.items()}
    truth = partial(one_by_one, part="frames")
    answers = cut.table(lab, rows, truth, said, part="frames", tolerance=0, because="see which frames fit")
    look(target=truth(*rows[0]), yours=answers[0].value, about="the numbers of the frames")
    frames, actions, rewards, ends = doubles.numbered_play(seed, 4, (0, 1, 2))
    none = cut(lab, frames, actions, rewards, ends, 3)
    assert len(none["frames"].value) == 0, f"{none.said}: every step ends an episode, so no window of 3 frames fits"
    for length in (1, 0, 5):
        cut.refuses(lab, frames, actions, rewards, ends, length, because="a window has 2 to T frames, here 2 to 4")


@exercise("episode_windows", points=4, hint="before = rows[:, :-1]; torch.cat([first, rewards[before]], dim=1)")
def test_pairing(lab, seed):
    """every frame of a window has the action, the reward and the end that came with it; the first one has none"""
    rows = plays(seed)
    for part in ("actions", "rewards", "continues"):
        wrong = {
            f"{part} are off by one: entry t has to belong to the step that led to frame t": {"shift": 1},
            f"{part} are off by one: entry t belongs to the step before the one that led to frame t": {"shift": -1},
            "what led to a window's own first frame is not part of it": {"first": 1},
            "it is 1 where the episode ends. It is 0 there": {"turned": True},
        }
        mistakes = {words: lambda *row, m=m, p=part: m(*row, part=p) for words, m in ways(one_by_one, wrong).items()}
        truth = partial(one_by_one, part=part)
        cut.table(lab, rows, truth, mistakes, part=part, tolerance=1e-7,
                  because="entry t belongs to step t - 1, which led to frame t")  # fmt: skip
    theorems.owes(cut, lab, *rows[0], other=rows[1], batch_of_one=False)


stepped = Call("step", takes={"state": "b d", "latent": "b z", "action": "b", "observation": "b o"},
               parameters=("rssm", "state", "latent", "action", "observation", "seed"),
               sizes=lambda given: {"l": given["rssm"].config.num_latents, "c": given["rssm"].config.num_classes},
               gives=record("tuple", deterministic=tensor("b d", "same"), latent=tensor("b z", "same"),
                            prior=tensor("b l c", "same"), posterior=tensor("b l c", "same")))  # fmt: skip


def mixed(logits, classes, share=0.01):
    probabilities = logits.unflatten(1, (-1, classes)).softmax(dim=-1)
    return ((1 - share) * probabilities + share / classes).log()


def drawn(log_probabilities, seed):
    rows = log_probabilities.exp().flatten(0, 1)
    picked = torch.multinomial(rows, 1, generator=generators(seed))[:, 0]
    return F.one_hot(picked, rows.shape[-1]).to(rows).reshape(len(log_probabilities), -1)


def true_step(rssm, state, latent, action, observation, seed, *, part=None, front=False, old=False, share=0.01,
              source=None, blind=False, late=False):  # fmt: skip
    """Oracle with the model's own layers; and ways to do it wrong."""
    onehot, classes = F.one_hot(action, rssm.config.num_actions).to(state), rssm.config.num_classes
    pieces = (onehot, latent) if front else (latent, torch.zeros_like(onehot) if blind else onehot)
    after = rssm.cell(rssm.inputs(torch.cat(pieces, dim=1)), state)
    seen = state if old else after
    prior = posterior = mixed(rssm.prior_head(seen), classes, share)
    if observation is not None:
        joined = torch.cat([state if late else seen, observation], dim=1)
        posterior = mixed(rssm.posterior_head(joined), classes, share)
    made = (after, drawn(prior if source == "prior" else posterior, seed), prior, posterior)
    return made if part is None else made[part]


@exercise("RSSM", points=5, hint="self.cell(inputs, state.deterministic) first; both heads see its result")
def test_step(lab, seed, look):
    """h from the GRU, then prior and posterior from the new h; the latent is drawn from the posterior"""
    rows = list(moments(lab.RSSM, seed))
    wrong = {
        "deterministic": {"the action is not used": {"blind": True},
                          "the latent comes first, then the action": {"front": True}},
        "prior": {"the heads see the old h. They see the new one": {"old": True},
                  "the distribution has no uniform part: `_distribution` gives it 1 %": {"share": 0.0}},
        "posterior": {"the heads see the old h. They see the new one": {"old": True},
                      "the posterior sees the old h": {"late": True}},
        "latent": {"the latent is drawn from the prior. With an observation, from the posterior": {"source": "prior"}},
    }  # fmt: skip
    for name, mistakes in wrong.items():
        number = ("deterministic", "latent", "prior", "posterior").index(name)
        answers = stepped.table(by_step, rows, partial(true_step, part=number), ways(partial(true_step, part=number),
                                mistakes), part=name, because="see the three equations")  # fmt: skip
    look(target=true_step(*rows[0])[1], yours=answers[0].value, about="the drawn latents, one row per world")
    theorems.owes(stepped, by_step, *rows[0], other=rows[0][:1] + tuple(x.flip(0) for x in rows[0][1:5]) + (seed,))
    still = (*rows[1][:3], torch.zeros_like(rows[1][3]), *rows[1][4:])
    stepped(by_step, *still)["deterministic"].near(true_step(*still)[0], because="action 0 is pressed in all worlds")


@exercise("RSSM", points=3, hint="straight_through_sample(prior if posterior is None else posterior, generator)")
def test_imagined_step(lab, seed):
    """without an observation the latent is drawn from the prior; a draw lets the gradient through"""
    rows = list(moments(lab.RSSM, seed, seen=False))
    for number, name in enumerate(("deterministic", "latent", "prior")):
        stepped.table(by_step, rows, partial(true_step, part=number), part=name, because="it is drawn from the prior")
    for seen, head in ((False, "prior_head"), (True, "posterior_head")):
        rssm, state, latent, action, observation, number = next(moments(lab.RSSM, seed, seen))
        rssm.requires_grad_()
        state, latent = state.clone().requires_grad_(), latent.clone().requires_grad_()
        answer = stepped(by_step, rssm, state, latent, action, observation, number)
        weights = noise(seed, *answer["latent"].value.shape, dtype=torch.float64)
        learned = {f"the {head}": getattr(rssm, head)[0].weight, "the GRU": rssm.cell.weight_ih}
        learned |= {"h": answer.given["state"], "z": answer.given["latent"]}
        theorems.learns(f"the latent of {answer.said}", answer["latent"].value * weights, learned)
        theorems.learns(f"the h of {answer.said}", answer["deterministic"].value, {"z": answer.given["latent"]})


slope = tensor("... l c", "same")
balance = Call("kl_balance", takes={"q": "... l c", "p": "... l c"}, parameters=("q", "p"),
               gives=record("tuple", loss=tensor("", "same"), posterior=slope, prior=slope))  # fmt: skip


def balanced(q, p, *, dynamics=0.5, representation=0.1, free_nats=1.0, of="sum", turned=False, late=False, total="mean",
             above=False, swap=False, both=False):  # fmt: skip
    """Oracle: place by place; and ways to do it wrong."""
    dynamics, representation = (representation, dynamics) if swap else (dynamics, representation)
    loss, least = 0.0, q.new_tensor(free_nats)
    for weight, still in ((dynamics, 0), (representation, 1)):
        one, other = (x if both or k != still else x.detach() for k, x in enumerate((q, p)))
        one, other = (other, one) if turned else (one, other)
        kl = (one.exp() * (one - other)).sum(dim=-1).reshape(-1, q.shape[-2])  # (places, L)
        kl = {"sum": kl.sum(dim=1, keepdim=True), "mean": kl.mean(dim=1, keepdim=True), "each": kl}[of]
        kl = kl.mean(dim=0, keepdim=True) if late else kl
        kl = torch.minimum(kl, least) if above else torch.maximum(kl, least)
        loss = loss + weight * (kl.sum() if total == "sum" else kl.sum() / len(kl))
    return loss


@exercise("kl_balance", points=6, hint="categorical_kl(posterior.detach(), prior).clamp(min=free_nats); the other way")
def test_kl(lab, seed, look):
    """the value, and the gradient of each side: one term pulls the prior alone, the other the posterior alone"""
    rows, wrong = list(doubles.distributions(seed)), {
        "free_nats is for all L latents of a place together, not for each of them": {"of": "each"},
        "the KL of a place is the sum over its latents, not their mean": {"of": "mean"},
        "the KL is turned round: it is KL(q ‖ p), of the posterior from the prior": {"turned": True},
        "free_nats is a floor of every place, not of their mean": {"late": True},
        "the result is a sum. It is the mean over all places": {"total": "sum"},
        "free_nats is a floor. Here it is a ceiling": {"above": True},
        "the two weights are swapped: dynamics is that of the term that trains the prior": {"swap": True},
        "both terms pull on both sides: in each of them the other side is detached": {"both": True},
    }  # fmt: skip
    for part in ("loss", "posterior", "prior"):
        made = {words: partial(trained(partial(balanced, **how)), part=part) for words, how in wrong.items()}
        because = "the mean over all places of both terms" if part == "loss" else f"the gradient of the {part}'s logits"
        answers = balance.table(trained(lab.kl_balance), rows, partial(trained(balanced), part=part), made, part=part,
                                because=because)  # fmt: skip
    look(target=trained(balanced)(*rows[0])[2][0, 0, 0], yours=answers[0].value[0, 0, 0], about="the pull on one prior")
    theorems.owes(balance, trained(lab.kl_balance), *rows[0][:2], other=rows[1][:2], dtypes=[torch.float32])


dreams = Call("imagine", takes={"state": "b d", "latent": "b z"}, sizes=lambda given: {
    "h": given["horizon"], "s": given["horizon"] + 1, "f": given["state"].shape[1] + given["latent"].shape[1]},
    parameters=("world", "actor", "state", "latent", "horizon", "seed"),
    gives=record("object", features=tensor("b s f", "same"), actions=tensor("b h", torch.int64)))  # fmt: skip


def true_dream(world, actor, state, latent, horizon, seed, *, part, greedy=False, once=False, flat=False, twice=False):
    """Oracle; and ways to do it wrong."""
    generator, state, features, actions = generators(seed), RSSMState(state, latent), [], []
    with torch.no_grad():
        for _ in range(horizon):
            features.append(state.features)
            logits = actor(features[0] if once else state.features)
            chances = torch.ones_like(logits) if flat else logits.softmax(dim=1)
            action = logits.argmax(dim=1) if greedy else torch.multinomial(chances, 1, generator=generator)[:, 0]
            actions.append(action)
            state = world.step(state, action, generator=generators(seed) if twice else generator)[0]
        features.append(state.features)
    return (torch.stack(features, dim=1) if part == "features" else torch.stack(actions, dim=1)).detach()


@exercise("imagine", points=6, hint="torch.multinomial(actor(state.features).softmax(-1), 1, generator=…)[:, 0]")
def test_imagine(lab, seed, look):
    """the policy acts on the state as it is; the action leads to the next state; H + 1 states, H actions"""
    sizes = ((5, 3, 4, 2, 6), (9, 4, 3, 5, 1), (7, 2, 6, 3, 8), (1, 3, 2, 4, 5))
    rows = [doubles.asleep(seed + k, *size) for k, size in enumerate(sizes)]
    mistakes = {
        "the most likely action is taken. It is drawn": {"greedy": True},
        "the policy looks at the first state only. It acts on the state as it is": {"once": True},
        "all actions are equally likely: the actor's logits are not used": {"flat": True},
        "the generator begins anew in every step. Hand it on": {"twice": True},
    }
    for part, because in (("actions", "action t is drawn in state t"), ("features", "state 0 is the start")):
        truth = partial(true_dream, part=part)
        answers = dreams.table(dreaming(lab.imagine), rows, truth, ways(truth, mistakes), part=part, because=because)
    look(target=truth(*rows[0])[0, :, 0], yours=answers[0].value[0, :, 0], about="one number of the state, by step")
    for part in answers[0].call.gives.parts:
        value = getattr(dreaming(lab.imagine)(*rows[0]), part)
        assert not value.requires_grad, f"{part} of imagine(…) carry a gradient: @torch.no_grad() above the function"
    theorems.owes(dreams, dreaming(lab.imagine), *rows[0], other=rows[1], batch_of_one=False)
    theorems.leaves_random_numbers_alone("imagine(…)", dreaming(lab.imagine), *rows[0])


back = Call("lambda_return", takes={"rewards": "b h", "values": "b s", "continues": "b h"}, gives=tensor("b h", "same"),
            parameters=("rewards", "values", "continues"))  # fmt: skip


def summed(rewards, values, continues, *, discount=0.99, trace=0.95, ahead=1, end="value", swap=False, goes=0, late=0,
           whole=False):  # fmt: skip
    """Oracle: backwards, row by row; and ways to do it wrong."""
    rewards, values, continues = (x.double() for x in (rewards, values, continues))
    out, steps = torch.zeros_like(rewards), rewards.shape[1]
    trace = 1 - trace if swap else trace
    for b in range(len(rewards)):
        after = values[b, steps] if end == "value" else values[b, steps - 1] if end == "before" else values[b, 0] * 0
        for t in reversed(range(steps)):
            c = continues[b, min(t + goes, steps - 1)] if not whole else 1.0
            mixed = (1 - trace) * values[b, t + ahead] + trace * after
            after = rewards[b, min(t + late, steps - 1)] + discount * c * mixed
            out[b, t] = after
    return out


@exercise("lambda_return", points=6, hint="discount * continues[:, t] * ((1 - trace) * values[:, t + 1] + trace * …)")
def test_returns(lab, seed, look):
    """from the last step to the first, for several discounts and traces; an episode's end lets nothing through"""
    rows = []
    options = ({}, {"trace": 0.4}, {"discount": 0.8}, {"discount": 0.6, "trace": 0.0}, {"trace": 1.0, "discount": 0.9})
    for k, ((batch, steps), option) in enumerate(zip(((4, 6), (3, 5), (2, 7), (5, 4), (6, 3)), options)):
        going = torch.where(coins(seed + k, batch, steps), 1.0, uniform(seed + k, batch, steps, low=0.0, high=1.0))
        going[0, steps // 2] = 0
        rows.append((noise(seed + k, batch, steps), noise(seed + k + 9, batch, steps + 1), going, option))
    answers = back.table(lab, rows, summed, ways(summed, {
        "the bootstrap is off by one: after step t comes state t + 1, with values[:, t + 1]": {"ahead": 0},
        "the bootstrap is off by one: the last return begins with values[:, -1], of state H": {"end": "before"},
        "both bootstraps are off by one: state t + 1 follows step t": {"ahead": 0, "end": "before"},
        "nothing is added after the last step. There the critic's last value stands for the rest": {"end": "zero"},
        "λ and 1 - λ are swapped: the return of the next step gets λ": {"swap": True},
        "continues are off by one: c_t says whether step t ended the episode": {"goes": 1},
        "rewards are off by one: r_t belongs to step t": {"late": 1},
        "continues are not used: nothing after an end may count": {"whole": True},
    }), because="see R_t, from the last step to the first")  # fmt: skip
    look(target=summed(*rows[0][:3])[1], yours=answers[0].value[1], about="the λ-returns of one dream")
    theorems.owes(back, lab, *rows[0][:3], other=rows[1][:3], dtypes=[torch.float64])


@exercise("lambda_return", points=2, hint="ValueError unless values have one entry more than rewards")
def test_returns_owe(lab, seed):
    """gradients reach rewards, values and continues; shapes that do not fit are refused; λ = 0 and 1 are exact"""
    rewards, values, continues = noise(seed, 3, 5), noise(seed + 1, 3, 6), uniform(seed, 3, 5, low=0.2, high=1.0)
    wanted = {"rewards": rewards, "values": values, "continues": continues}
    theorems.gradient_is_whole("lambda_return(…)", lambda **x: (lab.lambda_return(*x.values(), discount=0.9),), wanted)
    cases = (rewards, values[:, :-1], continues), (rewards, values, continues[:, :-1]), (rewards[:2], values, continues)
    for case in cases:
        back.refuses(lab, *case, because="values have one state more than there are steps")


NAMES = ("logits", "actions", "returns", "values", "weights")
acted = Call("actor_loss", takes={"logits": "b h a"} | dict.fromkeys(NAMES[1:], "b h"), parameters=NAMES,
             gives=record("tuple", loss=tensor("", "same"), slope=tensor("b h a", "same")))  # fmt: skip


def reinforced(logits, actions, returns, values, weights, *, entropy=3e-3, sign=-1, bonus=1, scale="spread", floor=1.0,
               over="all", base=True, weighted=True):  # fmt: skip
    """Oracle: place by place; and ways to do it wrong."""
    returns, values, weights = (x.detach() for x in (returns, values, weights))
    ordered = returns.flatten().sort().values
    low, high = (doubles.interpolated(ordered, part) for part in (0.05, 0.95))
    spread = returns.std() if scale == "deviation" else high - low
    spread = torch.ones(()) if scale == "none" else spread.clamp(min=floor)
    total = 0.0
    for b, t in itertools.product(*map(range, actions.shape)):
        log_policy = logits[b, t] - logits[b, t].exp().sum().log()
        nats = -(log_policy.exp() * log_policy).sum()
        gain = (returns[b, t] - (values[b, t] if base else 0)) / spread
        total = total + (weights[b, t] if weighted else 1) * (gain * log_policy[actions[b, t]] + bonus * entropy * nats)
    return sign * total / {"all": actions.numel(), "weights": weights.sum(), "one": 1}[over]


@exercise("actor_loss", points=8, hint="logits.log_softmax(-1), gather the actions, S by torch.quantile, one mean")
def test_actor(lab, seed, look):
    """the value and its gradient, for wide and narrow returns; the gradient reaches the logits and nothing else"""
    rows, wrong = list(doubles.dreamt_steps(seed)), {
        "the sign is turned round: what went well becomes less likely": {"sign": 1},
        "the entropy is punished. It is a bonus": {"bonus": -1},
        "returns are divided by their standard deviation, not by S": {"scale": "deviation"},
        "returns are not scaled": {"scale": "none"},
        "small spreads are not left alone: the divisor is at least 1": {"floor": 1e-12},
        "weights are not used": {"weighted": False},
        "the sum is divided by the weights. It is the mean over all B H places": {"over": "weights"},
        "the critic's estimate is not subtracted": {"base": False},
    }  # fmt: skip
    for part, because in (("loss", "see the equation"), ("slope", "this is the gradient of the logits")):
        made = {words: partial(learning(partial(reinforced, **how)), part=part) for words, how in wrong.items()}
        answers = acted.table(learning(lab.actor_loss), rows, partial(learning(reinforced), part=part), made, part=part,
                              tolerance=1e-6, because=because)  # fmt: skip
    look(target=learning(reinforced)(*rows[0][:5])[1][0, 0], yours=answers[0].value[0, 0], about="one policy's pull")
    theorems.owes(acted, learning(lab.actor_loss), *rows[0][:5], other=rows[1][:5], dtypes=[torch.float32])
