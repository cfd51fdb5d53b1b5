"""Padding and buckets by hand-counted cases and bounds."""

import random

import pytest

from common.data.batching import fitting_bucket, lost_share, padding_share


def test_padding_by_hand():
    assert padding_share([10, 10, 10], 2) == 0
    assert padding_share([10, 5, 4], 2) == pytest.approx(5 / 24)  # two as long as 10, then one of 4
    assert padding_share([1, 9], 1) == 0
    assert padding_share([1, 9], 2) == pytest.approx(8 / 18)


def test_sorting_by_length_never_pads_more():
    dice = random.Random(0)
    for _ in range(20):
        lengths = [dice.randint(1, 100) for _ in range(37)]
        assert padding_share(sorted(lengths), 5) <= padding_share(lengths, 5) + 1e-12


def test_the_largest_bucket_that_fits_is_taken():
    buckets = [(5, 4, 4), (5, 4, 8), (9, 4, 4), (9, 8, 4)]
    assert fitting_bucket((9, 7, 7), buckets) == (9, 4, 4)
    assert fitting_bucket((8, 9, 9), buckets) == (5, 4, 8)
    assert fitting_bucket((9, 8, 4), buckets) == (9, 8, 4)
    assert fitting_bucket((20, 3, 90), buckets) is None


def test_what_is_lost():
    assert lost_share((9, 8, 4), (9, 8, 4)) == 0
    assert lost_share((10, 8, 4), (5, 4, 4)) == 0.75
    assert lost_share((4, 4, 4), None) == 1


@pytest.mark.parametrize("lengths, batch_size", [([], 2), ([3], 0)])
def test_nothing_is_no_batch(lengths, batch_size):
    with pytest.raises(ValueError, match="at least one"):
        padding_share(lengths, batch_size)
