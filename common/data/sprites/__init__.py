"""The world of sprites: scenes by number, clips of them, and everything that is true about each clip."""

from common.data.sprites.attributes import SpriteObject, SpriteScene, is_held_out
from common.data.sprites.render import SpriteBatch, render
from common.data.sprites.scenes import draw_scene, draw_scenes

__all__ = ["SpriteBatch", "SpriteObject", "SpriteScene", "draw_scene", "draw_scenes", "is_held_out", "render"]
