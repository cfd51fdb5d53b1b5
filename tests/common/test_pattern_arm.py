"""Attention patterns in a model that reads: what they let through, and the study that is kept of the trained arms."""

import json
from pathlib import Path

import pytest
import torch

import common
from common.evaluation.share import Share
from common.layers.attention_patterns import PATTERNS, attend_by
from common.models.pattern_transformer import PatternTransformer
from common.zoo.mini_arm import MiniCoder
from common.zoo.pattern_arm import (
    BACKWARD,
    CORNER,
    MOVES,
    both_ways,
    build_arm,
    compute_loss,
    moving_clips,
    read_moves,
)
from common.zoo.pattern_measures import measure

SMALL = {"in_channels": 3, "dim": 24, "num_layers": 6, "num_heads": 2, "ffn_dim": 16}
RESULTS = Path(common.__file__).parents[1] / "benchmarks" / "results" / "pattern_arms.json"


def awake(pattern, **config):
    """A model with random weights everywhere."""
    torch.manual_seed(0)
    model = PatternTransformer(pattern=pattern, **SMALL | config).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter += 0.2 * torch.randn_like(parameter)
    return model.double()


def latents(batch=2):
    return torch.randn(batch, 3, 9, 8, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_fresh_model_is_undecided_and_all_patterns_have_the_same_weights(pattern):
    model, full = PatternTransformer(pattern=pattern, **SMALL), PatternTransformer(**SMALL)
    assert not model(latents().float()).logits.any()
    shapes = [{name: part.shape for name, part in one.state_dict().items()} for one in (model, full)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    "pattern, frames", [("full", range(9)), ("factorised", range(9)), ("shifted", range(9)), ("windows", range(3, 6)),
                        ("spatial", range(4, 5))]
)  # fmt: skip
def test_which_frames_the_middle_frames_corner_can_know(pattern, frames):
    model, x = awake(pattern), latents()
    before = model(x).logits[:, *CORNER]
    heard = []
    for frame in range(9):
        changed = x.clone()
        changed[:, :, frame] += torch.randn(3, 8, 8, dtype=torch.float64)
        heard.append(bool((model(changed).logits[:, *CORNER] - before).abs().max() > 1e-12))
    assert heard == [frame in frames for frame in range(9)]


def test_the_middle_frame_alone_cannot_tell_a_clip_from_its_reverse():
    """So without attention along time at most one of the two is read right there, whatever the weights."""
    x = latents(12)
    middle = awake("spatial")(x).logits[:, 4]
    torch.testing.assert_close(awake("spatial")(x.flip(2)).logits[:, 4], middle)
    right = read_moves(awake("spatial"), x, torch.arange(12) % 4)[:, 4]
    assert not (right[:12] & right[12:]).any()
    for pattern in ("full", "factorised", "shifted", "windows"):
        off = awake(pattern)(x.flip(2)).logits[:, 4] - awake(pattern)(x).logits[:, 4]
        assert off.abs().max() > 1e-3, pattern


def test_another_function_may_do_the_attention():
    model, x, calls = awake("factorised", num_layers=3), latents(), []

    def counting(kind, q, k, v, window):
        calls.append((kind, tuple(q.shape), tuple(window)))
        return attend_by(kind, q, k, v, window)

    want = model(x).logits
    torch.testing.assert_close(model.attend_with(counting)(x).logits, want)
    assert calls == [(kind, (2, 2, 9, 4, 4, 12), (3, 2, 2)) for kind in ("space", "time", "space")]
    model.attend_with(None)(x)
    assert len(calls) == 3


def test_what_it_cannot_be_is_refused():
    with pytest.raises(ValueError, match="diagonal"):
        PatternTransformer(pattern="diagonal")
    with pytest.raises(ValueError, match="hidden states"):
        PatternTransformer(**SMALL)(torch.zeros(1, 4, 9, 8, 8))
    with pytest.raises(ValueError, match="medium"):
        measure(build_arm("full"), "medium")


def test_backward_left_is_right_and_up_is_down():
    assert [MOVES[k] for k in BACKWARD] == ["right", "left", "down", "up"]
    x, moves = latents(3).float(), torch.tensor([0, 3, 2])
    clips, wanted = both_ways(x, moves)
    assert torch.equal(clips[:3], x) and torch.equal(clips[3:, :, 0], x[:, :, -1])
    assert wanted.tolist() == [0, 3, 2, 1, 2, 3]


class Says:
    """A model whose tokens say what the sign of their clip's first number tells."""

    def __call__(self, x):
        logits = torch.zeros(len(x), *x.shape[2:3], 4, 4, 4)
        logits[..., 1] = x[:, 0, 0, 0, 0].sign()[:, None, None, None]
        return type("Out", (), {"logits": logits})


def test_the_loss_and_the_marks_are_those_of_every_token_both_ways():
    x = torch.zeros(2, 3, 9, 8, 8)
    x[0, 0, 0], x[0, 0, -1] = 1, -1  # clip 0 forward: "right"; backward and clip 1: undecided or not "right"
    moves = torch.tensor([1, 0])
    right = read_moves(Says(), x, moves)
    assert right.shape == (4, 9, 4, 4)
    assert [bool(one.all()) for one in right] == [True, True, True, False]  # argmax of equal logits is "left"
    loss = compute_loss(Says(), {"latents": x, "moves": moves})["loss"]
    said = torch.tensor([[0.0, 1, 0, 0], [0, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 0]])
    want = torch.nn.functional.cross_entropy(said, torch.tensor([1, 0, 0, 1]))
    torch.testing.assert_close(loss, want)


def test_clips_that_move_straight_by_number():
    clips, coded, moves = moving_clips([0, 3, 4])
    assert clips.shape == (3, 3, 9, 64, 64) and coded.shape == (3, 1, *MiniCoder("frames").shape[1:])
    again, _, move = moving_clips([3])
    assert torch.equal(again[0], clips[1]) and move == moves[1]
    for clip, move in zip(clips, moves):
        field = clip[:, :, 0, 0].median(dim=1).values[:, None, None, None]
        there = (clip - field).abs().amax(0) > 0.3  # (9, 64, 64)
        first, last = (there[frame].nonzero().float().mean(0) for frame in (0, -1))
        steps = (last - first).flip(0)  # x, then y
        axis = 0 if MOVES[move] in ("left", "right") else 1
        assert steps[axis].abs() > 3 * steps[1 - axis].abs()
        assert (steps[axis] > 0) == (MOVES[move] in ("right", "down"))


def test_the_study_says_what_the_theorem_says():
    """Frames that see themselves alone: of 516 clips and their reverses, no pair is right twice."""
    study = json.loads(RESULTS.read_text())
    assert all(one["corner"][1] >= 1000 for one in study)
    [spatial] = [one for one in study if one["pattern"] == "spatial"]
    low, high = Share(*spatial["corner"]).interval
    assert spatial["both_ways"] == 0 and low < 1 / len(MOVES) < high
