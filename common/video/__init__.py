"""Video files in, clips out: probe, read, sample and write. The only place where frames come first."""

from common.video.errors import VideoError
from common.video.probe import VideoInfo, probe
from common.video.reader import VideoReader, read_frames, timestamps
from common.video.sampling import clip_to_frames, even_indices, fps_indices, frames_to_clip, sample_clip
from common.video.writer import write

__all__ = ["VideoError", "VideoInfo", "VideoReader", "clip_to_frames", "even_indices", "fps_indices", "frames_to_clip",
           "probe", "read_frames", "sample_clip", "timestamps", "write"]  # fmt: skip
