"""Pipelines: models, text and sampler together, as diffusers has them."""

from common.pipelines.text_to_video import TextToVideoOutput, TextToVideoPipeline

__all__ = ["TextToVideoOutput", "TextToVideoPipeline"]
