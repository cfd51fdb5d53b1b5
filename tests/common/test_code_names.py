"""Names for codes: the most frequent action, ties and unseen codes included."""

import pytest
import torch

from common.evaluation.code_names import name_codes


def test_each_code_gets_its_most_frequent_action():
    codes, actions = torch.tensor([0, 0, 0, 2, 2, 2]), torch.tensor([1, 1, 0, 3, 0, 0])
    assert name_codes(codes, actions, 3).tolist() == [1, 0, 0]


def test_of_equals_the_smallest_and_unseen_codes_get_the_usual_one():
    codes, actions = torch.tensor([0, 0, 3, 3, 3]), torch.tensor([4, 2, 5, 5, 1])
    assert name_codes(codes, actions, 5).tolist() == [2, 5, 5, 5, 5]


@pytest.mark.parametrize("codes", [[], [0, 4], [-1, 0]])
def test_no_pairs_or_codes_out_of_range_are_refused(codes):
    with pytest.raises(ValueError, match="codes from 0 to 3"):
        name_codes(torch.tensor(codes, dtype=torch.int64), torch.zeros(len(codes), dtype=torch.int64), 4)
