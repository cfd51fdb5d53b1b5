"""Real clips: a few shots bundled with the repository, longer film fetched on demand, windows of them as batches."""

from common.data.batch import Batch, Window, collate
from common.data.bundled import Clip, clip_path, clips, excerpts, find_clip
from common.data.clip_dataset import ClipDataset
from common.data.download import DataError
from common.data.sources import fetch, source_path

__all__ = ["Batch", "Clip", "ClipDataset", "DataError", "Window", "clip_path", "clips", "collate", "excerpts", "fetch",
           "find_clip", "source_path"]  # fmt: skip
