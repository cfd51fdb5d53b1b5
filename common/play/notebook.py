"""`play(...)` in a notebook: a server on a thread of the kernel, and the page in a frame below the cell."""

import html
from typing import Any

PAGE_HEIGHT = 640  # pixels
_running = []  # the server of the last call: a kernel has one player at a time


class PlayedPage:
    """A page that is being served. As the last value of a cell it is shown in place.

    Attributes:
        url: of the page, with its token.
    """

    def __init__(self, server, title: str, height: int):
        self._server, self._title, self._height = server, title, height
        self.url = server.url

    def stop(self) -> None:
        """End the server."""
        self._server.stop()

    def __repr__(self) -> str:
        return f"{self._title}: {self.url}"

    def _repr_html_(self) -> str:
        return (
            f'<iframe src="{html.escape(self.url)}" title="{html.escape(self._title)}" width="100%" '
            f'height="{self._height}" style="border:0" allow="clipboard-write; fullscreen"></iframe>'
        )


def play(what: Any = "rooms", *, game: Any = None, engine: bool = False, height: int = PAGE_HEIGHT) -> PlayedPage:
    """Play in a notebook. A second call ends the first.

    The browser must be on this machine. Elsewhere, as on a JupyterHub, take the start page's link to the player.

    Args:
        what: a name as for `flipbook play` (`rooms`, `catch`, a folder of weights, `file.py:Class`); a game's class;
            or a world model, with its `game`.
        game: beside a world model or a folder of weights: the class of its game, or its name.
        engine: play the game itself, whatever weights there are.
        height: of the frame, in pixels.

    Raises:
        PlayError: it cannot be played.
    """
    from common.play.playable import find, load_world, of_objects
    from common.play.server import BackgroundServer

    if isinstance(what, str) and (game is None or isinstance(game, str)):
        playable = find(what, game=game, engine=engine)
    elif isinstance(what, str):
        playable = of_objects(_maker(game), load_world(what), world_name=what)
    elif callable(getattr(what, "start", None)):
        playable = of_objects(_maker(game), what)
    else:
        playable = of_objects(_maker(what))
    while _running:
        _running.pop().stop()
    server = BackgroundServer(playable)
    _running.append(server)
    return PlayedPage(server, f"flipbook play {playable.title}", height)


def _maker(game: Any):
    from common.play.errors import PlayError
    from common.play.playable import game_maker

    if isinstance(game, str):
        return game_maker(game)
    if not callable(game):
        raise PlayError(f"a game is its class, such as Rooms, or its name; got {game!r}")
    return game
