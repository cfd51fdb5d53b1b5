"""The corner of the world whose modes can be counted, the reader on its clips, and the measures of modes and paths."""

import math
from collections import Counter

import numpy as np
import pytest
import torch

from common.data.sprites import is_held_out
from common.data.sprites.modes import EVERY, ModeData
from common.data.sprites.truth import truth
from common.evaluation.modes import ModeReport, clip_modes, mode_report
from common.evaluation.paths import object_paths, straightness
from common.evaluation.sprite_reader import read_sprites

# ------------------------------------------------------------------------------------------------ the world


def test_every_mode_is_as_likely_as_the_others():
    """40 modes, 60 clips of each on average: chi squared, 39 on average for an honest die, with a spread of 8.8."""
    data = ModeData()
    counts = Counter(data.mode(i) for i in range(40 * 60))
    assert set(counts) == set(data.modes) and len(data.modes) == 40
    assert 10 < sum((count - 60) ** 2 / 60 for count in counts.values()) < 39 + 5 * 8.8


def test_no_mode_is_held_out_elsewhere_and_clips_show_their_mode():
    data = ModeData()
    for i, scene in enumerate(data.scenes(range(100))):
        (item,) = scene.objects
        assert not is_held_out(scene) and (item.shape, item.color, item.motion) == data.mode(i)


def test_a_clip_is_named_by_its_number_and_split():
    train, test = ModeData(), ModeData(split="test")
    some = train.batch([3, 8])
    assert some.shape == (2, 3, 6, 20, 20) and some.dtype == torch.uint8
    assert torch.equal(train.batch([8, 3]), some.flip(0))
    assert not torch.equal(test.batch([3]), some[:1])
    assert torch.allclose(train.clips([3]), some[:1] / 127.5 - 1)


def test_frames_are_a_quarter_of_a_second_apart():
    """The object is where the world's exact truth has it at those times."""
    data = ModeData(num_frames=5, size=40)
    paths = object_paths(data.clips(range(12)))
    exact = truth(data.scenes(range(12)), EVERY * 4 + 1, 40)
    inside = (exact.boxes[:, 0, ::EVERY] > 0).all(2) & (exact.boxes[:, 0, ::EVERY] < 40).all(2)  # (B, T)
    error = (paths - exact.positions[:, 0, ::EVERY] / 40).norm(dim=2)[inside]
    assert inside.sum() > 40 and error.max() < 0.01


@pytest.mark.parametrize("wrong", [{"split": "held_out"}, {"num_frames": 0}, {"size": -1}])
def test_worlds_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=str(next(iter(wrong.values())))):
        ModeData(**wrong)
    with pytest.raises(ValueError, match="-1"):
        ModeData().mode(-1)


def test_the_reader_reads_clips_of_this_size():
    """96 new clips: at most one word in a hundred is wrong. Without it no mode could be counted."""
    data = ModeData(split="test")
    readings = clip_modes(read_sprites(data.clips(range(96)), data.fps))
    shown = [data.mode(i) for i in range(96)]
    wrong = sum(a != b for read, mode in zip(readings, shown) for a, b in zip(read or (None,) * 3, mode))
    assert wrong <= 0.01 * 3 * 96


def test_what_is_no_object_has_no_mode():
    data = ModeData()
    clips = data.clips([0, 1, 2])
    clips[0] = clips[0, :, :, :1, :1]  # nothing but background
    clips[1] = torch.rand(3, 6, 20, 20, generator=torch.Generator().manual_seed(0)) * 2 - 1
    modes = clip_modes(read_sprites(clips, data.fps))
    assert modes[:2] == [None, None] and modes[2] == data.mode(2)
    assert clip_modes(read_sprites(clips[2:], data.fps), ("color",)) == [data.mode(2)[1:2]]


# ------------------------------------------------------------------------------------------------ counting


def test_a_report_counted_by_hand():
    data = ["a"] * 4 + ["b"] * 4 + ["c"] * 2
    samples = ["a", "a", "a", "b", None]
    report = mode_report(samples, data)
    assert report.known == 0.8 and report.coverage == 2 / 3
    assert report.entropy == pytest.approx(-0.75 * math.log(0.75) - 0.25 * math.log(0.25))
    # 5 samples stand for 10 clips: 6 places of a for 4 clips, 2 of b for 4
    assert report.recall == pytest.approx((4 + 2) / 10)


def test_the_measures_against_torch_and_numpy():
    """Entropy by torch.distributions; recall is the overlap of two histograms, one minus half their distance."""
    generator = np.random.default_rng(0)
    samples, data = generator.integers(0, 9, 70).tolist(), generator.integers(2, 12, 90).tolist()
    report = mode_report(samples, data)
    p, q = (np.bincount(x, minlength=12) / len(x) for x in (samples, data))
    assert report.recall == pytest.approx(np.minimum(p, q)[q > 0].sum())
    assert report.known == pytest.approx(p[q > 0].sum())
    entropy = torch.distributions.Categorical(torch.from_numpy(p[q > 0])).entropy().item()
    assert report.entropy == pytest.approx(entropy)
    assert report.effective_modes == pytest.approx(math.exp(entropy))


def test_a_collapsed_generator_and_a_perfect_one():
    data = [k % 8 for k in range(64)]
    collapsed, perfect = mode_report([3] * 1000, data), mode_report([7 - k for k in data], data)
    assert collapsed == ModeReport(known=1.0, coverage=1 / 8, entropy=0.0, recall=1 / 8)
    assert (perfect.coverage, perfect.recall) == (1, 1) and perfect.effective_modes == pytest.approx(8)
    assert collapsed.effective_modes == 1


def test_nothing_known_is_all_zero_and_nothing_given_is_refused():
    report = mode_report([None, "z"], ["a"])
    assert report == ModeReport(0.0, 0.0, 0.0, 0.0) and report.effective_modes == 0
    for samples, data, said in (([], ["a"], "0 samples"), (["a"], [], "0 clips"), (["a"], ["a", None], "1 of 2")):
        with pytest.raises(ValueError, match=said):
            mode_report(samples, data)


# ------------------------------------------------------------------------------------------------ paths


def test_straight_motion_is_straight_and_jumping_is_not():
    data = ModeData()
    real = straightness(object_paths(data.clips(range(48))))
    assert real.min() > 0.97
    mixed = data.clips(range(6 * 24)).unflatten(0, (24, 6))[:, torch.arange(6), :, torch.arange(6)]
    jumping = mixed.permute(1, 2, 0, 3, 4)  # (24, 3, 6, H, W): each frame real, each from another clip
    assert straightness(object_paths(jumping)).mean() < 0.5


def test_straightness_of_paths_that_are_known():
    steps = torch.tensor([[1.0, 0], [1, 0], [1, 0]])
    paths = torch.stack([steps.cumsum(0), torch.tensor([[0.0, 0], [3, 4], [0, 0]]), torch.zeros(3, 2)])
    paths[0, :, 1] = torch.tensor([0.0, 1, 0])  # a detour: 2 far, 2 sqrt(2) long
    assert torch.allclose(straightness(paths), torch.tensor([1 / math.sqrt(2), 0.0, 0.0]))
    assert straightness(torch.full((1, 4, 2), math.nan)) == 0


def test_a_path_in_heights_of_a_picture_that_is_not_square():
    clip = -torch.ones(1, 3, 3, 10, 20)
    for t in range(3):
        clip[0, 1, t, 4, 2 + 3 * t] = 1.0
    wanted = torch.tensor([[0.25, 0.45], [0.55, 0.45], [0.85, 0.45]])
    assert torch.allclose(object_paths(clip)[0], wanted)
    clip[:, :, 1] = -1
    assert object_paths(clip)[0, 1].isnan().all() and not object_paths(clip)[0, 2].isnan().any()


def test_what_is_no_clip_or_no_path():
    with pytest.raises(ValueError, match="3, 4, 5, 6"):
        object_paths(torch.zeros(3, 4, 5, 6))
    for wrong in ((2, 2, 2), (2, 4, 3), (4, 2)):
        with pytest.raises(ValueError, match=", ".join(map(str, wrong))):
            straightness(torch.zeros(wrong))
