"""The player: a world model, or a game's own engine, behind one page with a WebSocket. `flipbook play rooms`."""

from common.play.notebook import play

__all__ = ["play"]
