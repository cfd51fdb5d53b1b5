"""The other readers of lab 01.1: those that are installed return the frames that they were asked for."""

import os

import numpy as np
import pytest

from common import video
from common.data import clip_path
from common.video import peers

PRESENT = [peer for peer in peers.PEERS.values() if not peer.absence]
INDICES = [40, 3, 4, 40, 51]


@pytest.mark.parametrize("peer", PRESENT, ids=lambda peer: peer.name)
def test_the_same_frames_as_ours_in_the_order_asked_for(peer):
    assert np.array_equal(peer.read(clip_path("leap"), INDICES), video.read_frames(clip_path("leap"), INDICES))


@pytest.mark.parametrize("peer", PRESENT, ids=lambda peer: peer.name)
def test_a_size_is_height_and_width(peer):
    small = peer.read(clip_path("leap"), INDICES, (90, 160))
    ours = video.read_frames(clip_path("leap"), INDICES, size=90)
    assert small.shape == ours.shape and small.dtype == np.uint8
    assert np.abs(small.astype(np.int16) - ours).mean() < 4  # each scales in its own way


def test_pyav_and_decord_come_with_the_course():
    assert {"PyAV", "decord"} <= {peer.name for peer in PRESENT}


def test_what_is_missing_says_why():
    def find():
        raise ImportError("no such library\nand a long story")

    absent = peers.Peer("x", "no-such-distribution", None, find)
    assert absent.absence == "ImportError: no such library" and absent.version == ""


def test_plain_seeking_is_counted():
    with video.VideoReader(clip_path("leap")) as reader:
        keyframes = reader.keyframes
    indices = [30, 5, 30]
    frames, num_decoded = peers.count_pyav(clip_path("leap"), indices)
    assert num_decoded >= sum(i - max(k for k in keyframes if k <= i) + 1 for i in indices)
    assert len(frames) == 3


def test_silence_is_only_for_the_block(capfd):
    with peers.silenced():
        os.write(2, b"heard by nobody")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"
