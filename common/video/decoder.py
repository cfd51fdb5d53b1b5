"""One open file and its decoder: hands out the frames that are asked for, and decodes as few others as it can."""

import contextlib
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain

import av
from av.video.frame import PictureType
from av.video.reformatter import VideoReformatter

from common.video.container import check_file, open_video
from common.video.errors import CorruptVideoError, guarded
from common.video.forks import keep_for_ever, keep_over_fork
from common.video.index import FrameIndex, Keyframe, build_index
from common.video.plan import decode_runs

# Codecs in which a picture marked "not a reference" can be left out without a trace in any other picture.
# HEVC is not among them: its mark speaks of one temporal layer only.
SKIPPABLE = ("h264", "mpeg1video", "mpeg2video", "mpeg4")
# Codecs whose decoders make up what a picture leans on and lacks, without a word.
CONCEALING = ("mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "wmv1", "wmv2", "h263", "flv")
MAX_FAILURES = 2  # keyframes to try for a frame that does not come out, before the first one of all


class FrameDecoder:
    """Decodes chosen frames of one file. Not for two threads at once.

    A frame's number is its place in the order of presentation. Decoding starts at the last keyframe that is shown no
    later than the wanted frame. Pictures coded after a keyframe and shown before it (an open group of pictures) may
    lean on the group before, and this rule reaches them from there.

    Attributes:
        path: The file.
        index: The `FrameIndex` of the file; given to the constructor, it is not read again.
        num_decoded: How many frames the decoder has put out so far.
        reformatter: For the conversion of its frames: one thread's own, like the decoder.
    """

    def __init__(self, path, index: FrameIndex | None = None, threads: int = 0):
        self.path = check_file(path)
        self.num_decoded = 0
        self.reformatter = VideoReformatter()
        self._threads = threads
        self._ready = deque()  # decoded and not yet handed out, in order of presentation
        self._packets = None  # the running demuxer; None where the next frame needs a seek
        self._position = -1  # number of the frame that came out last
        self._is_broken = False  # a picture was lost, and others may lean on it until the next keyframe
        # Keyframes that are none: they do not come out themselves (the picture is refreshed little by little), or the
        # container marks what leans on other pictures.
        self._unclean = set()
        number = None if index is None else index.stream
        self.container, self.stream = open_video(self.path, self._threads, number)
        keep_over_fork(self)
        try:
            self.index = index or build_index(self.container, self.stream, self.path)
        except BaseException:
            self.container.close()
            raise
        self._number_of = {pts: number for number, pts in enumerate(self.index.pts.tolist())}
        self._keyframe_numbers = {keyframe.number for keyframe in self.index.keyframes}
        self._starts = [0] + [keyframe.number for keyframe in self.index.keyframes[1:]]
        self._skips = self.stream.codec_context.name in SKIPPABLE and not self.index.counted
        self._conceals = self.stream.codec_context.name in CONCEALING
        self._prepare()

    def close(self) -> None:
        """Closes the file. Safe to call twice."""
        self._forget()
        self.stream = None  # pyrefly: ignore [bad-assignment]  # closed: whoever reads now is told so
        if self.container is not None:
            self.container.close()

    def __del__(self):
        # PyAV's container and streams hold each other. Closing parts them, so that they are freed here, with their
        # threads, and not some time later by the garbage collector, perhaps in the child of a fork.
        with contextlib.suppress(Exception):
            self.close()

    def abandon(self) -> None:
        """Leaves the open file and its decoder to the process that opened them: the next read opens the file anew.

        For the child of a fork. It shares the file's position with its parent and has none of the decoder's threads;
        whoever closes the decoder there waits for them for ever. So nothing is closed, and nothing ever freed.
        """
        for thing in (self.container, self.stream, self._packets, self._ready, self.reformatter):
            keep_for_ever(thing)
        self.container = self.stream = None  # pyrefly: ignore [bad-assignment]  # the next read opens it anew
        self._ready, self.reformatter = deque(), VideoReformatter()
        self._forget()

    def fetch(self, wanted: Sequence[int], stay: bool = True) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decodes frames.

        Args:
            wanted: Frame numbers, rising, without repeats.
            stay: Leave the decoder standing behind the last frame, because what follows may be wanted next.

        Yields:
            (number, frame) for each wanted frame, in that order.

        Raises:
            CorruptVideoError: a wanted frame cannot be decoded, or only with errors.
        """
        runs = list(self.runs(wanted))
        for (keyframe, run), following in zip(runs, [*runs[1:], None]):
            leads_on = self._starts[following[0]] <= run[-1] + 1 if following else stay
            yield from self._fetch_run(keyframe, run, leads_on)

    def runs(self, wanted: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
        """Groups frame numbers by the keyframe at which decoding has to start: its place among the keyframes."""
        for start, run in decode_runs(wanted, self._starts):
            yield bisect_left(self._starts, start), run

    def cost(self, keyframe: int, run: list[int]) -> int:
        """How many frames lie between a keyframe and the last frame of a run."""
        return run[-1] - self._starts[keyframe] + 1

    def _fetch_run(self, keyframe: int, run: list[int], stay: bool) -> Iterator[tuple[int, av.VideoFrame]]:
        num_done = failures = 0
        starts = list(range(keyframe + 1))
        while starts:
            start = starts.pop()
            if start in self._unclean or (failures == MAX_FAILURES and start > 0):
                continue
            for number, frame in self._decode(start, run[num_done:], stay):
                if frame.is_corrupt or self._is_broken or number != run[num_done]:
                    break
                num_done += 1
                yield number, frame
            if num_done == len(run):
                return
            if self.container is None:  # the process has forked in the middle of the run
                starts.append(start)
                continue
            self._forget()
            failures += start not in self._unclean
        number = run[num_done]
        raise CorruptVideoError(
            f"frame {number} of {self.path} (at {self.index.timestamps[number]:.3f} s) cannot be decoded: the file is "
            "damaged there. Copy or download it again, or keep to its other frames."
        )

    def _decode(self, keyframe: int, run: list[int], stay: bool) -> Iterator[tuple[int, av.VideoFrame]]:
        """Decodes from a keyframe, or on from where the decoder stands, until the run's last frame is out."""
        due = self._begin(keyframe, run[0])
        wanted, last = set(run), int(self.index.pts[run[-1]])
        awaited = {int(self.index.pts[number]) for number in run}
        while self._ready or self._feed(awaited, last, stay):
            if not self._ready:
                continue
            frame = self._ready.popleft()
            self._position = self._position + 1 if self.index.counted else self._number_of.get(frame.pts, -1)
            if due is not None and self._position >= due:
                if self._position > due or (keyframe > 0 and self._conceals and _leans_on_others(frame)):
                    self._unclean.add(keyframe)
                    return
                due = None
            if self._position in self._keyframe_numbers:
                self._is_broken = False
            if self._position in wanted:
                yield self._position, frame
            if self._position >= run[-1]:
                return

    def _begin(self, keyframe: int, first: int) -> int | None:
        """Seeks if that is shorter than going on. Returns the number of the frame that has to come out for a start."""
        is_ahead = self._packets is not None and self._position < first
        if is_ahead and self._starts[keyframe] <= self._position + 1:
            return None
        start = self.index.keyframes[keyframe]
        self._seek(start)
        is_shown = not self.index.counted and self.index.pts[start.number] == start.pts
        return start.number if is_shown else None

    def _feed(self, awaited: set[int], last: int, stay: bool) -> bool:
        """Gives the decoder one packet more.

        Args:
            awaited: Time stamps of the wanted packets that are still to come; taken out as they do.
            last: The latest wanted time stamp.
            stay: Packets behind `last` may be wanted later. Else the decoder is emptied once nothing is awaited.

        Returns:
            False at the end, when nothing more will come out.
        """
        try:
            packet = next(self._packets, None) if self._packets else None
        except Exception:  # of any class: the demuxer met damage, and knows no way on
            self._is_broken, packet = True, None
        if packet is None:
            self._packets = None
            return False
        if self._skips and packet.pts is not None:
            may_skip = packet.pts not in awaited and (not stay or packet.pts < last)
            self.stream.codec_context.skip_frame = "NONREF" if may_skip else "DEFAULT"
        self._put(packet)
        awaited.discard(packet.pts)
        if not awaited and not stay and not self.index.counted:
            self._put(None)
            self._packets = None
        return True

    def _put(self, packet) -> None:
        """Decodes a packet; None empties the decoder."""
        try:
            frames = self.stream.codec_context.decode(packet)
        except Exception:  # of any class
            self._is_broken = True
            return
        self.num_decoded += len(frames)
        self._ready.extend(frames)

    def _seek(self, keyframe: Keyframe) -> None:
        """Makes the keyframe's packet the next one to be decoded. Packets before it are read and dropped."""
        self._forget()
        if self.container is None:
            self._reopen()
        offsets = () if self.index.counted else dict.fromkeys((keyframe.dts, self.index.keyframes[0].dts))
        for offset in offsets:
            with contextlib.suppress(Exception):  # of any class: not every file can be searched
                self.container.seek(offset, stream=self.stream)
                if self._drop_until(keyframe):
                    return
        self._reopen()
        with guarded(self.path, "read through"):
            if self.index.counted or not self._drop_until(keyframe):
                self._packets = self.container.demux(self.stream)

    def _drop_until(self, keyframe: Keyframe) -> bool:
        packets = self.container.demux(self.stream)
        for packet in packets:
            if packet.pts == keyframe.pts:
                self._packets = chain([packet], packets)
                return True
            if packet.dts is not None and packet.dts > keyframe.dts:
                return False  # the seek went too far
        return False

    def _reopen(self) -> None:
        if self.container is not None:
            self.container.close()
        self.container, self.stream = open_video(self.path, self._threads, self.index.stream)
        self._prepare()

    def _prepare(self) -> None:
        """Tells the decoder how far frames are reordered, which some streams leave it to guess and guess again."""
        context = self.stream.codec_context
        if context.reorder_depth < self.index.reorder_depth:
            context.reorder_depth = self.index.reorder_depth

    def _forget(self) -> None:
        self._ready.clear()
        self._packets = None
        self._position = -1
        self._is_broken = False


def _leans_on_others(frame: av.VideoFrame) -> bool:
    """Whether the decoder neither calls it a keyframe nor has decoded it from itself alone."""
    return not frame.key_frame and frame.pict_type != PictureType.I
