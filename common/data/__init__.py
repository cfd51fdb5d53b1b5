"""Real clips: a few shots bundled with the repository, longer film fetched on demand, windows of them as batches."""

from common.data.batch import Batch, Window, collate
from common.data.bundled import Clip, clip_path, clips, excerpts, find_clip
from common.data.clip_dataset import ClipDataset
from common.data.download import DataError
from common.data.flow_scenes import FlowScene, Motion, exact_scenes, flow_scene
from common.data.sources import fetch, source_path

__all__ = ["Batch", "Clip", "ClipDataset", "DataError", "FlowScene", "Motion", "Window", "clip_path", "clips",
           "collate", "exact_scenes", "excerpts", "fetch", "find_clip", "flow_scene", "source_path"]  # fmt: skip
