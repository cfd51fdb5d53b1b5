"""The decode plan: no frame twice, none that can be spared, and the reader decodes by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common import video
from common.data import clip_path
from common.video import decoder
from common.video.plan import decode_runs

KEYFRAMES = st.sets(st.integers(1, 60)).map(lambda numbers: [0, *sorted(numbers)])
INDICES = st.lists(st.integers(0, 80), max_size=20)


def needed(index: int, keyframes: list[int]) -> set[int]:
    """What has to be decoded to see one frame: a search through all the keyframes."""
    return set(range(max(keyframe for keyframe in keyframes if keyframe <= index), index + 1))


@given(INDICES, KEYFRAMES)
def test_a_plan_decodes_what_is_needed_once_and_nothing_else(indices, keyframes):
    runs = decode_runs(indices, keyframes)
    decoded = [number for keyframe, run in runs for number in range(keyframe, run[-1] + 1)]
    assert len(decoded) == len(set(decoded))
    assert set(decoded) == set().union(*(needed(index, keyframes) for index in indices))


@given(INDICES, KEYFRAMES)
def test_every_wanted_frame_is_in_one_run_in_order(indices, keyframes):
    runs = decode_runs(indices, keyframes)
    assert [number for _, run in runs for number in run] == sorted(set(indices))
    starts = [keyframe for keyframe, _ in runs]
    assert starts == sorted(set(starts)) and set(starts) <= set(keyframes)


NONSENSE = [([3, -1], [0, 5], "-1"), ([3], [], "begin"), ([3], [1], "begin")]


@pytest.mark.parametrize("indices, keyframes, words", NONSENSE)
def test_nonsense_is_refused(indices, keyframes, words):
    with pytest.raises(ValueError, match=words):
        decode_runs(indices, keyframes)


def test_the_reader_decodes_by_the_plan(monkeypatch):
    asked = []

    def counting(indices, keyframes):
        asked.append(list(indices))
        return decode_runs(indices, keyframes)

    monkeypatch.setattr(decoder, "decode_runs", counting)
    with video.VideoReader(clip_path("burrow")) as reader:
        reader.read([130, 3, 60, 3])
        least = sum(run[-1] - keyframe + 1 for keyframe, run in decode_runs([130, 3, 60], reader.keyframes))
        assert reader.num_decoded <= least
    assert [3, 60, 130] in asked
