"""Flipbook's library: video in, tensors through, video out.

Import the part you need (`common.video`, `common.show`, `common.evaluation`, ...); this module itself imports nothing.
"""

__version__ = "0.1.0"
