"""The player inside JupyterLab's server: `flipbook/play/?world=rooms`, at the same port and behind the same login."""

import tornado.web
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join

from common.play.cabinet import Cabinet
from common.play.server import PlayPage, PlaySocket


class LabPlayPage(PlayPage, JupyterHandler):
    """`GET flipbook/play/`: the page."""

    @tornado.web.authenticated
    def get(self):
        """For those who are logged in; the page has its own content security policy."""
        super().get()


class LabPlaySocket(WebSocketMixin, PlaySocket, JupyterHandler):
    """`flipbook/play/socket`: the conversation. Jupyter checks the login and the origin."""

    async def get(self, *args, **kwargs):
        """The handshake."""
        if self.current_user is None:
            raise tornado.web.HTTPError(403)
        await super().get(*args, **kwargs)


def find(name: str):
    """A world of the course by its name. Files and modules are for the command line: an address runs no code.

    Raises:
        PlayError: there is no such world.
    """
    from common.play.errors import PlayError
    from common.play.playable import GAMES, find
    from common.zoo import shelf

    name = name or "rooms"
    if name not in GAMES and name not in shelf.names():
        raise PlayError(f"there is no world {name!r} here; rooms and catch are. Your own: flipbook play file.py:Class")
    return find(name)


def handlers(address: str) -> list[tuple]:
    """The handlers below an address, for one player.

    Args:
        address: of the course's pages on this server.
    """
    play = url_path_join(address, "play")
    cabinet = Cabinet(find)
    return [
        (url_path_join(play, "/"), LabPlayPage),
        (url_path_join(play, "socket"), LabPlaySocket, {"cabinet": cabinet}),
    ]
