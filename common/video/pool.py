"""Decoders side by side: frames that lie far apart are reached at the same time."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate

import av
from av.video.reformatter import VideoReformatter

from common.video.decoder import FrameDecoder

Take = Callable[[int, av.VideoFrame, VideoReformatter], None]

WORTHWHILE = 128  # frames to decode before a second decoder pays for opening the file again
MAX_DECODERS = 4  # each holds some frames in memory


def num_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class DecoderPool:
    """The decoders of one open file. The first does most of the work; others join where a read falls into parts.

    Attributes:
        first: The decoder that was opened with the file.
    """

    def __init__(self, path):
        self.first = FrameDecoder(path)
        self._helpers = []

    @property
    def num_decoded(self) -> int:
        """How many frames all decoders together have put out so far."""
        return self.first.num_decoded + sum(helper.num_decoded for helper in self._helpers)

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        for decoder in (self.first, *self._helpers):
            decoder.close()

    def fetch(self, wanted: Sequence[int], take: Take) -> None:
        """Decodes frames and hands each to `take(number, frame, reformatter)`, in no order, from several threads.

        Args:
            wanted: Frame numbers, rising, without repeats.
            take: Called once for each of them.

        Raises:
            CorruptVideoError: as `FrameDecoder.fetch` does.
        """
        *others, last = self._shares(wanted)
        for _ in range(len(others) - len(self._helpers)):
            threads = max(1, num_cores() // (len(others) + 1))
            self._helpers.append(FrameDecoder(self.first.path, self.first.index, threads))
        with ThreadPoolExecutor(max(1, len(others))) as executor:
            jobs = [executor.submit(_work, *job, take, False) for job in zip(self._helpers, others)]
            _work(self.first, last, take, True)
            for job in jobs:
                job.result()

    def _shares(self, wanted: Sequence[int]) -> list[list[int]]:
        """Cuts the wanted frames, between groups of pictures, into parts that cost about the same."""
        runs = list(self.first.runs(wanted))
        costs = list(accumulate(self.first.cost(keyframe, run) for keyframe, run in runs))
        total = costs[-1] if costs else 0
        count = min(len(runs), num_cores(), MAX_DECODERS) if total >= WORTHWHILE else 1
        shares = [[] for _ in range(max(1, count))]
        for (_, run), cost in zip(runs, costs):
            shares[min(count - 1, (cost - 1) * count // total)].extend(run)
        return [share for share in shares if share] or [[]]


def _work(decoder: FrameDecoder, wanted: list[int], take: Take, stay: bool) -> None:
    for number, frame in decoder.fetch(wanted, stay):
        take(number, frame, decoder.reformatter)
