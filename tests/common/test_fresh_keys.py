"""A new key in every frame: as often as said, and whatever the game does."""

from collections import Counter
from itertools import pairwise

import pytest

from common.data.arcade.fresh_keys import PLAY, FreshKeys, fresh_recording


def test_keys_come_as_often_as_said_and_follow_from_nothing():
    player = FreshKeys((3, 1, 0, 4))
    keys = [player(None) for _ in range(20_000)]
    counts, pairs = Counter(keys), Counter(pairwise(keys))
    assert player.probabilities == (0.375, 0.125, 0, 0.5)
    for key, chance in enumerate(player.probabilities):
        assert counts[key] / len(keys) == pytest.approx(chance, abs=0.015)
        for other, also in enumerate(player.probabilities):
            assert pairs[key, other] / len(keys) == pytest.approx(chance * also, abs=0.015)


def test_a_seed_is_a_sequence():
    first, again = FreshKeys(), FreshKeys()
    first.reset(4), again.reset(4)
    keys = [first(None) for _ in range(50)]
    assert keys == [again(None) for _ in range(50)]
    again.reset(5)
    assert keys != [again(None) for _ in range(50)]


def test_a_recording_has_many_short_plays():
    recording = fresh_recording(3 * PLAY - 1, "test", with_slime=False)
    assert recording.frames.shape == (3, PLAY, 64, 64) and recording.window == 3
