"""The player's web server: a page and a WebSocket, on this machine's own address, behind a token.

`PlaySocket` is the whole conversation with a page. Who may have it is decided elsewhere: here by a token, in
JupyterLab by its own login (`common.course.setup.play_pages`).
"""

import asyncio
import hmac
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from common.play.errors import PlayError

try:
    import tornado.httpserver
    import tornado.netutil
    import tornado.web
    import tornado.websocket
    from tornado.ioloop import IOLoop, PeriodicCallback
except ImportError as error:
    raise PlayError(
        "the player needs tornado, which comes with the course: python3 flipbook.py learn, or pip install tornado"
    ) from error

from common.play import protocol
from common.play.cabinet import Cabinet

if TYPE_CHECKING:
    from common.play.playable import Playable

LOOPBACK = "127.0.0.1"
MORE_PORTS = 50  # tried one after the other, where the wanted one is taken
PAGE = Path(__file__).parent / "page"
# Why a socket was closed, for the page.
BUSY, MOVED, IDLED, BROKEN, JUNK = 4001, 4002, 4003, 4004, 4005
PING = 20  # seconds, after which a browser that is gone is noticed
log = logging.getLogger(__name__)


def page(nonce: str) -> str:
    """The page: one file, with its style and its script inside."""
    html, css, js = ((PAGE / f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return html.replace("{css}", css).replace("{js}", js).replace("{nonce}", nonce)


def policy(nonce: str) -> str:
    """Its content security policy: it loads nothing and talks to its own server alone."""
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )


class PlayPage(tornado.web.RequestHandler):
    """`GET`: the page."""

    def get(self):
        """Sent anew each time: it has a nonce."""
        nonce = secrets.token_urlsafe(16)
        self.set_header("Content-Security-Policy", policy(nonce))
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.finish(page(nonce))


class PlaySocket(tornado.websocket.WebSocketHandler):
    """The conversation with a page: it asks for a frame, and gets one."""

    def initialize(self, cabinet):
        """Remember the cabinet."""
        self.cabinet, self.sitting, self._auditing, self._clock = cabinet, None, None, None

    @property
    def max_message_size(self):
        """The page sends a few bytes."""
        return protocol.LONGEST

    async def open(self, *args, **kwargs):
        """Sit down, unless someone plays."""
        self.set_nodelay(True)
        cabinet = self.cabinet
        if cabinet.player is not None:
            if not self.get_argument("take", ""):
                self.close(BUSY, "this game is being played in another window")
                return
            cabinet.player.close(MOVED, "the game went on in another window")
        cabinet.player = self
        try:
            sitting = await self._on_game_thread(cabinet.sit, self.get_argument("world", ""))
        except Exception as error:  # of a stranger's game or weights
            self._fail(error)
            return
        if cabinet.player is not self:  # the window was closed meanwhile
            return
        self.sitting = sitting
        self._say({"about": self.sitting.about()})
        first = protocol.frame_message(0, 0, 0.0, self.sitting.session.frame)
        self._say(first)
        self._say(self.sitting.audited(0))
        self._clock = PeriodicCallback(self._look_at_clock, min(cabinet.idle / 4, 5.0) * 1000)
        self._clock.start()

    async def on_message(self, message):
        """Answer. The next message waits for the answer to this one."""
        if self.sitting is None:
            return
        try:
            wish = protocol.read(message)
        except protocol.ProtocolError as error:
            self.close(JUNK, str(error)[:120])
            return
        try:
            if isinstance(wish, protocol.Ask):
                action, answer = await self._on_game_thread(self.sitting.ask, wish)
                session = self.sitting.session
                self._say(answer)
                await self._audited()
                self._auditing = self._on_audit_thread(self.sitting.follow, action, session.number, session.frame)
            else:
                await self._audited()
                for answer in await self._on_game_thread(self.sitting.obey, wish):
                    self._say(answer)
        except Exception as error:  # of a stranger's game or weights
            self._fail(error)

    def on_close(self):
        """Stand up."""
        if self._clock:
            self._clock.stop()
        if self.cabinet.player is self:
            self.cabinet.player = None
        if self.sitting is None:
            return
        if self.cabinet.at_end:
            self.cabinet.at_end(self.sitting.session.log)
        self.cabinet.leave(self.sitting)
        self.sitting = None

    def _say(self, message: bytes | dict) -> None:
        if self.ws_connection is None or self.ws_connection.is_closing():
            return
        is_binary = isinstance(message, bytes)
        self.write_message(message if is_binary else json.dumps(message), binary=is_binary)

    def _fail(self, error: Exception) -> None:
        words = str(error) if isinstance(error, PlayError) else self.cabinet.explain(error)
        if words:
            log.error("the game stopped: %s", words)
        else:
            log.error("the game stopped", exc_info=error)
            words = f"{type(error).__name__}: {error}"
        self._say({"say": words})
        self.close(BROKEN, words.encode()[:120].decode(errors="ignore"))

    def _look_at_clock(self) -> None:
        if self.sitting and time.monotonic() - self.sitting.last_deed > self.cabinet.idle:
            self.close(IDLED, "no key was pressed for a while")

    async def _audited(self) -> None:
        """Wait for the audit of the last frame."""
        if self._auditing:
            auditing, self._auditing = self._auditing, None
            await auditing

    def _on_game_thread(self, function, *arguments):
        return IOLoop.current().run_in_executor(self.cabinet.game_thread, function, *arguments)

    def _on_audit_thread(self, function, *arguments):
        async def audit():
            self._say(await IOLoop.current().run_in_executor(self.cabinet.audit_thread, function, *arguments))

        return asyncio.ensure_future(audit())


class WithToken:
    """Lets those in who know the token and came to this machine by its own name."""

    def prepare(self):
        """Before anything is answered."""
        host, _, _ = self.request.host.rpartition(":")
        if host not in (LOOPBACK, "localhost"):  # a foreign name that was made to point here
            raise tornado.web.HTTPError(403)
        if not hmac.compare_digest(self.get_argument("token", "").encode(), self.settings["token"].encode()):
            raise tornado.web.HTTPError(403)

    def write_error(self, status_code, **kwargs):
        """One sentence."""
        words = "This address needs the token that the terminal printed." if status_code == 403 else self._reason
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(f"{status_code}: {words}\n")


class TokenPage(WithToken, PlayPage):
    """The page, with the token."""


class TokenSocket(WithToken, PlaySocket):
    """The socket, with the token. Tornado refuses a page of another origin (`check_origin`)."""


class Server:
    """One game at an address of its own. Make it on the thread whose event loop is to run it.

    Args:
        playable: what is played.
        port: where to listen, or the next free port after it; None for any.
        token: of the address; None for a new one.
        options: for the `Cabinet`.
    """

    def __init__(self, playable: "Playable", *, port: int | None = None, token: str | None = None, **options):
        self.token = token or secrets.token_urlsafe(24)
        self.cabinet = Cabinet(lambda name: playable, **options)
        handlers = [("/", TokenPage), ("/socket", TokenSocket, {"cabinet": self.cabinet})]
        settings = {
            "websocket_ping_interval": PING,
            "websocket_ping_timeout": PING,
            "log_function": lambda handler: None,
        }
        application = tornado.web.Application(handlers, token=self.token, **settings)
        self._http = tornado.httpserver.HTTPServer(application)
        sockets = listen(port)
        self.port = sockets[0].getsockname()[1]
        self._http.add_sockets(sockets)

    @property
    def url(self) -> str:
        """Of the page."""
        return f"http://{LOOPBACK}:{self.port}/?token={self.token}"

    async def close(self) -> None:
        """Let no one in any more, and end the session."""
        self._http.stop()
        if self.cabinet.player is not None:
            self.cabinet.player.close(1001, "the player was stopped")
            await asyncio.sleep(0.1)  # for the page to hear it
        await self._http.close_all_connections()
        self.cabinet.close()


def listen(port: int | None) -> list[socket.socket]:
    """Sockets of the loopback address, at a port or the next that is free.

    Raises:
        PlayError: all of them are taken.
    """
    if port is None:
        return tornado.netutil.bind_sockets(0, LOOPBACK, family=socket.AF_INET)
    for number in range(port, min(port + MORE_PORTS, 65536)):
        try:
            return tornado.netutil.bind_sockets(number, LOOPBACK, family=socket.AF_INET)
        except OSError:
            continue
    raise PlayError(f"the ports from {port} on are taken; choose another with --port")


async def serve(playable: "Playable", ready: Callable[[Server], None], ended: asyncio.Event, **options) -> None:
    """Run a server until `ended` is set.

    Args:
        playable: what is played.
        ready: called once it listens.
        ended: by which it is told to stop.
        options: for `Server`.
    """
    server = Server(playable, **options)
    try:
        ready(server)
        await ended.wait()
    finally:
        await server.close()


class BackgroundServer:
    """A server on a thread of its own, for a notebook.

    Args:
        playable: what is played.
        options: for `Server`.
    """

    def __init__(self, playable: "Playable", **options):
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(playable, options), daemon=True, name="flipbook-server")
        self._thread.start()
        self._started.wait()
        if self._error:
            raise self._error

    def stop(self) -> None:
        """End the server, and wait for it."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ended.set)
            self._thread.join(timeout=10)

    def _run(self, playable: "Playable", options: dict) -> None:
        self._error = None

        async def main():
            self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
            await serve(playable, self._is_ready, self._ended, **options)

        try:
            asyncio.run(main())
        except Exception as error:  # for the thread that waits
            self._error = error
        finally:
            self._started.set()

    def _is_ready(self, server: Server) -> None:
        self.url, self.cabinet = server.url, server.cabinet
        self._started.set()
