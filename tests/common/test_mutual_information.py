"""Mutual information against closed forms; the matching of codes with actions against all permutations."""

import itertools
import math

import pytest
import torch

from common.evaluation.mutual_information import contingency, entropy, matched_accuracy, mutual_information


def test_contingency_counts_pairs():
    table = contingency(torch.tensor([0, 2, 2, 0]), torch.tensor([1, 0, 0, 0]))
    assert table.tolist() == [[1, 1], [0, 0], [2, 0]]


def test_entropy_of_a_fair_die_is_its_logarithm_and_the_correction():
    bias = 5 / (2 * 6000 * math.log(2))
    assert entropy(torch.full((6,), 1000)) == pytest.approx(math.log2(6) + bias)
    assert entropy(torch.tensor([0, 7, 0])) == 0


def test_codes_by_other_names_tell_everything():
    actions = torch.arange(300) % 3
    codes = torch.tensor([4, 0, 2])[actions]
    assert mutual_information(codes, actions) == pytest.approx(math.log2(3), abs=0.01)
    assert matched_accuracy(codes, actions) == 1


def test_independent_variables_share_nothing_and_the_correction_is_why():
    shares, plain = [], []
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        codes = torch.randint(8, (300,), generator=generator)
        actions = torch.randint(3, (300,), generator=generator)
        shares.append(mutual_information(codes, actions))
        plain.append(shares[-1] + (8 - 1) * (3 - 1) / (2 * 300 * math.log(2)))
    assert abs(sum(shares) / 40) < 0.01
    assert sum(plain) / 40 > 0.02


def test_a_binary_symmetric_channel():
    """I = 1 - h(p) for a fair bit that is flipped with probability p."""
    actions = torch.arange(40_000) % 2
    codes = torch.where(torch.arange(40_000) // 2 % 10 == 0, 1 - actions, actions)
    noise = -(0.1 * math.log2(0.1) + 0.9 * math.log2(0.9))
    assert mutual_information(codes, actions) == pytest.approx(1 - noise, abs=1e-3)
    assert matched_accuracy(codes, actions) == pytest.approx(0.9)


def test_matching_is_the_best_of_all():
    generator = torch.Generator().manual_seed(1)
    codes, actions = torch.randint(4, (50,), generator=generator), torch.randint(3, (50,), generator=generator)
    best = max(
        sum(int(names[code] == action) for code, action in zip(codes.tolist(), actions.tolist(), strict=True))
        for names in itertools.permutations([0, 1, 2, -1])
    )
    assert matched_accuracy(codes, actions) == pytest.approx(best / 50)


def test_refuses_what_does_not_pair():
    with pytest.raises(ValueError, match="N"):
        contingency(torch.zeros(3, dtype=torch.long), torch.zeros(4, dtype=torch.long))
