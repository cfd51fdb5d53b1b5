"""What it costs to reach frames, and a film one step at a time: the cost and the sampler of lab 01.1."""

from bisect import bisect_right
from itertools import chain

import av
import numpy as np

from common.video.plan import decode_runs
from common.video.reader import VideoReader


def decoded_per_asked(indices, keyframes, how):
    """What a way of reading costs: frames decoded per frame asked for.

    There are three ways:

        "scan"  decode from frame 0 up to the latest wanted frame, once, and pick the wanted ones on the way;
        "seek"  for each index as it comes, repeats too: go to its keyframe and decode up to it;
        "plan"  for each run of `decode_runs`: go to its keyframe and decode up to the last frame of the run.

    Args:
        indices: a list of wanted frame numbers, at least one, in any order; each entry counts as one frame asked for,
            also where it repeats another.
        keyframes: numbers of the frames at which decoding can start, rising, the first one 0.
        how: "scan", "seek" or "plan".

    Returns:
        Frames decoded, wanted ones included, divided by frames asked for: one number.

    Raises:
        ValueError: there are no indices, or `how` is none of the three (the message names it).
    """
    if len(indices) == 0:
        raise ValueError("there are no indices: ask for at least one frame")
    if how == "scan":
        num_decoded = max(indices) + 1
    elif how == "seek":
        num_decoded = sum(i - keyframes[bisect_right(keyframes, i) - 1] + 1 for i in indices)
    elif how == "plan":
        num_decoded = sum(run[-1] - keyframe + 1 for keyframe, run in decode_runs(indices, keyframes))
    else:
        raise ValueError(f'how must be "scan", "seek" or "plan", got {how!r}')
    return num_decoded / len(indices)


class Film:
    """A video file, one step at a time: go to a keyframe, decode the next frame, turn it into RGB.

    Use it in a `with` block, or close it.

    Attributes:
        keyframes: numbers of the frames at which decoding can start, rising, the first one 0.
        num_frames: how many frames there are.
        num_decoded: how many the decoder has put out so far.
    """

    def __init__(self, path):
        with VideoReader(path) as reader:
            self.keyframes, self.num_frames, times = reader.keyframes, len(reader), reader.timestamps
        self.path, self.num_decoded = path, 0
        self._open()
        assert self.stream.time_base is not None
        self.pts = (times / float(self.stream.time_base)).round().astype(int) + (self.stream.start_time or 0)
        self.number_of = {int(pts): number for number, pts in enumerate(self.pts)}

    def seek(self, keyframe):
        """Make this keyframe the next frame to come out of `next_frame`."""
        if keyframe not in self.keyframes:
            raise ValueError(f"frame {keyframe} is no keyframe, and decoding can start at {self.keyframes}")
        self.container.seek(int(self.pts[keyframe]), stream=self.stream)
        if not self._arrives_at(keyframe):  # a container without a table of frames is searched by bytes, and missed
            self.container.close()
            self._open()
            self._arrives_at(keyframe)

    def next_frame(self):
        """Decode one frame: (number, frame). The frame is still as the file stores it: `to_rgb` gives its picture."""
        frame = next(self.frames)
        assert frame.pts is not None
        return self.number_of[frame.pts], frame

    def to_rgb(self, frame):
        """The picture of a decoded frame: uint8 (H, W, 3). This costs about as much as decoding it did."""
        return frame.to_ndarray(format="rgb24")

    def close(self):
        self.container.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _open(self):
        self.container = av.open(str(self.path))
        self.stream = self.container.streams.video[0]
        self.stream.thread_type = "AUTO"
        self.frames = self._decode()

    def _decode(self):
        for frame in self.container.decode(self.stream):
            self.num_decoded += 1
            yield frame

    def _arrives_at(self, keyframe):
        """Decode up to a keyframe and hold it ready; False if it does not come, or another behind it comes first."""
        self.frames = self._decode()
        for frame in self.frames:
            number = -1 if frame.pts is None else self.number_of.get(frame.pts, -1)
            if number >= keyframe:
                self.frames = chain([frame], self.frames)
                return number == keyframe
        return False


def read_planned(film, indices):
    """Reads frames of a film by number, by the runs of `decode_runs`: no frame is decoded twice.

    Uses `film.keyframes`, `film.seek`, `film.next_frame` and `film.to_rgb`. Seeks at most once for each run, to
    its keyframe; decodes no frame after the last wanted one of a run; turns each wanted frame into RGB once, and no
    other.

    Args:
        film: an open `Film`, at any position. It stays open.
        indices: a list of frame numbers, at least one, in any order; repeats are allowed. All lie in the film.

    Returns:
        uint8 (N, H, W, 3): picture n is frame `indices[n]`.
    """
    pictures = {}
    for keyframe, run in decode_runs(indices, film.keyframes):
        film.seek(keyframe)
        wanted, number = set(run), -1
        while number < run[-1]:
            number, frame = film.next_frame()
            if number in wanted:
                pictures[number] = film.to_rgb(frame)
    return np.stack([pictures[i] for i in indices])
