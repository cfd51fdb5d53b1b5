"""The world of sprites: scenes by number, clips of them, and everything that is true about each clip."""

from common.data.sprites.attributes import ObjectWords, SceneWords, SpriteObject, SpriteScene, is_held_out
from common.data.sprites.captions import caption, paraphrases, parse, unknown_words
from common.data.sprites.render import SpriteBatch, render
from common.data.sprites.scenes import draw_scene, draw_scenes, scene_of
from common.data.sprites.truth import SpriteTruth, truth
from common.data.sprites.world import SpriteData

__all__ = ["ObjectWords", "SceneWords", "SpriteBatch", "SpriteData", "SpriteObject", "SpriteScene", "SpriteTruth",
           "caption", "draw_scene", "draw_scenes", "is_held_out", "paraphrases", "parse", "render", "scene_of", "truth",
           "unknown_words"]  # fmt: skip
