"""Usage and perplexity of a codebook, and the levels of its channels: counts that are known beforehand."""

import math

import pytest
import torch

from common.evaluation.codebook import codebook_perplexity, codebook_usage, level_usage
from common.layers.quantization import indices_to_codes

LEVELS = (4, 5, 3)


def test_one_code_for_everything():
    indices = torch.full((2, 3, 4), 7)
    assert codebook_usage(indices, 10) == pytest.approx(0.1)
    assert codebook_perplexity(indices, 10) == pytest.approx(1)


def test_all_codes_equally_often():
    indices = torch.arange(10).repeat(3).reshape(5, 6)
    assert codebook_usage(indices, 10) == 1
    assert codebook_perplexity(indices, 10) == pytest.approx(10)


def test_perplexity_is_exp_of_the_entropy():
    indices = torch.tensor([0] * 6 + [3] * 2)
    assert codebook_perplexity(indices, 9) == pytest.approx(math.exp(-0.75 * math.log(0.75) - 0.25 * math.log(0.25)))
    assert codebook_usage(indices, 9) == pytest.approx(2 / 9)


def test_levels_are_counted_by_channel():
    indices = torch.randint(60, (500,), generator=torch.Generator().manual_seed(0))
    codes = indices_to_codes(indices, LEVELS)
    for channel, shares in enumerate(level_usage(indices, LEVELS)):
        found = codes[:, channel]
        half = LEVELS[channel] // 2
        expected = [(found * half + half == level).double().mean().item() for level in range(LEVELS[channel])]
        assert shares.tolist() == pytest.approx(expected)


def test_one_channel():
    assert level_usage(torch.tensor([2, 2, 0, 2]), (3,))[0].tolist() == [0.25, 0, 0.75]


@pytest.mark.parametrize("measure", [codebook_usage, codebook_perplexity])
@pytest.mark.parametrize(("indices", "word"), [([], "no indices"), ([-1, 2], "-1"), ([0, 5], "0 to 5")])
def test_what_is_no_index_is_an_error(measure, indices, word):
    with pytest.raises(ValueError, match=word):
        measure(torch.tensor(indices, dtype=torch.int64), 5)
