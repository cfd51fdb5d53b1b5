"""The reader of the sprites' world: what a clip shows, in the words of its captions, found by measuring alone."""

from common.evaluation.sprite_reader.agreement import (
    ATTRIBUTES,
    accuracy,
    agreement,
    chance_agreement,
    object_accuracy,
)
from common.evaluation.sprite_reader.reading import ObjectReading, SceneReading, read_sprites

__all__ = [
    "ATTRIBUTES",
    "ObjectReading",
    "SceneReading",
    "accuracy",
    "agreement",
    "chance_agreement",
    "object_accuracy",
    "read_sprites",
]
