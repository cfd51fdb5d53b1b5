"""Interpolators compared: a table of means, the lead over the mean of both, the reach, and the worst squares."""

import pytest
import torch

from common.data.triplets import Triplets
from common.evaluation.interpolation import picture_scores
from common.evaluation.interpolation_failures import Failure, square_signs, worst_squares
from common.evaluation.interpolators import MethodScores, lead_over_mean, reach, score_methods


def noise(seed, *size):
    return torch.rand(*size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def mean(first, last):
    return (first + last) / 2


def still(first, last):
    """A flow by which nothing moves."""
    return torch.zeros_like(first[:, :2])


def triplets(count=7, height=24, width=36):
    pixels = torch.randint(0, 256, (count, 3, 3, height, width), generator=torch.Generator().manual_seed(0))
    pixels[:, :, 2] = (pixels[:, :, 0] + torch.arange(count).reshape(-1, 1, 1, 1)).clamp(max=255)
    return Triplets(pixels.to(torch.uint8), ("a",) * 4 + ("b",) * (count - 4), tuple(range(count)), (1,) * count)


def test_every_triplet_gets_the_scores_of_its_own_middle_whatever_the_batch():
    data, methods = triplets(), {"mean": mean, "first": lambda first, last: first}
    first, middle, last = data.pictures(slice(None))
    for batch_size in (3, 100):
        found = score_methods(methods, data, still, batch_size=batch_size)
        for name, between in methods.items():
            for measure, values in picture_scores(between(first, last), middle).items():
                assert torch.equal(found.scores[name][measure], values)
        assert torch.equal(found.moved, torch.zeros(len(data)))


def test_the_watcher_sees_each_batch_and_the_table_each_third():
    seen = []
    score_methods({"the mean": mean}, triplets(), still, batch_size=3, watch=lambda r: seen.extend(r) or r)
    assert seen == [0, 3, 6]
    scores = {"psnr": torch.arange(7) * 1.0, "ssim": torch.zeros(7)}
    found = MethodScores(torch.tensor([5.0, 1, 2, 6, 3, 4, 7]), {"the mean": scores})
    rows = [line.split() for line in found.table().splitlines()]
    assert [row[-5] for row in rows[1:5]] == ["3.00", "2.33", "2.50", "4.50"]  # thirds of 3, 2 and 2 triplets
    assert [row[-2] for row in rows[1:5]] == ["7.0", "3.0", "5.0", "7.0"]


def test_the_lead_over_the_mean_is_zero_for_the_mean_and_positive_for_the_truth():
    first, middle, last = (noise(seed, 3, 3, 16, 20) for seed in range(3))
    assert lead_over_mean(mean, first, middle, last) == 0
    assert lead_over_mean(lambda a, b: middle + 0.01, first, middle, last) > 20


def test_reach_shows_windows_that_slide_evenly():
    """A method that knows the motion is right to the bit; one that keeps the first picture is not, unless all rests."""
    picture, asked = noise(0, 1, 3, 40, 90), []

    def knows(first, last):
        asked.append((first, last))
        return picture[..., 5:35, 15:75]

    assert reach(knows, picture, (0, 4, 12), (30, 60)) == [60.0, 60.0, 60.0]
    assert torch.equal(asked[1][0], picture[..., 5:35, 13:73]) and torch.equal(asked[1][1], picture[..., 5:35, 17:77])
    stays = reach(lambda first, last: first, picture, (0, 4), (30, 60))
    assert stays[0] == 60 and stays[1] < 20


@pytest.mark.parametrize(("distance", "size"), [(3, (30, 60)), (32, (30, 60)), (4, (50, 60))])
def test_reach_refuses_what_the_picture_cannot_show(distance, size):
    with pytest.raises(ValueError, match=str(distance)):
        reach(mean, noise(0, 1, 3, 40, 90), (distance,), size)


# ------------------------------------------------------------------------------------------- the worst squares


def spoils(index_of_square, height=48, width=72):
    """An interpolator that knows the middle, but for one square of 24 pixels."""
    row, column = index_of_square

    def between(first, last):
        made = mean(first, last)
        made[..., 12 * row : 12 * row + 24, 12 * column : 12 * column + 24] += 0.5
        return made

    return between


def moving(count=3, height=48, width=72):
    """Pictures whose middle is the mean of both, exactly."""
    ends = torch.randint(0, 128, (count, 3, 1, height, width), generator=torch.Generator().manual_seed(1)) * 2
    flipped = ends.flip(-1)
    pixels = torch.cat([ends, (ends + flipped) // 2, flipped], dim=2).to(torch.uint8)
    return Triplets(pixels, ("a",) * count, (0, 9, 10), (1,) * count)


def test_the_square_that_came_out_badly_is_found():
    worst = worst_squares(spoils((1, 3)), moving(), still, count=2)
    assert [(f.top, f.left) for f in worst] == [(12, 36)] * 2
    assert {f.index for f in worst} in ({0, 1}, {0, 2})  # 9 and 10 are one moment
    assert all(abs(f.error - 0.25) < 1e-2 and f.motion == 0 and f.hidden == 0 for f in worst)
    assert [f.index for f in worst_squares(spoils((0, 0)), moving(), still, every=2)] == [0, 2]


def test_signs_tell_motion_and_what_one_side_hides():
    first, middle, last = moving().pictures([0])

    def flow(a, b):
        """5 pixels to the right, from and to the last frame; to the first and back, 3 pixels that do not return."""
        to_first = torch.equal(a, middle) and torch.equal(b, first)
        from_first = torch.equal(a, first)
        x = 3.0 if to_first else 3.0 if from_first else 5.0 if torch.equal(a, middle) else -5.0
        return torch.tensor([x, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 48, 72).clone()

    error, motion, hidden, _ = square_signs(mean, first, middle, last, flow, 24)
    assert error.abs().max() < 1e-4 and motion.allclose(torch.tensor(8.0)) and hidden.allclose(torch.tensor(1.0))


def test_a_pattern_is_like_itself_one_period_further():
    x = torch.arange(72).expand(1, 3, 48, 72)
    stakes = torch.sin(2 * torch.pi * x / 9)  # 9 pixels is among the distances that are tried
    likeness = [square_signs(mean, p, p, p, still, 24)[3] for p in (stakes, noise(0, 1, 3, 48, 72))]
    assert likeness[0].min() > 0.9 > 0.5 > likeness[1].max()


def test_a_failure_is_named_by_the_sign_that_stands_out_and_cropped_inside_the_picture():
    names = [Failure(0, 0, 0, 1.0, *signs).cause for signs in ((12.0, 0.1, 0.1), (3.0, 0.35, 0.1), (3.0, 0.1, 0.5))]
    assert names == ["large motion", "occlusion", "repetition"]
    assert str(Failure(0, 0, 0, 1.0, 3.0, 0.5, -2.0)).endswith("like itself   0%: occlusion")
    picture = noise(0, 1, 3, 60, 80)
    assert torch.equal(Failure(0, 24, 36, 1, 1, 1, 1).crop(picture), picture[..., 12:60, 24:72])
    assert torch.equal(Failure(0, 36, 60, 1, 1, 1, 1).crop(picture), picture[..., 12:60, 32:80])
