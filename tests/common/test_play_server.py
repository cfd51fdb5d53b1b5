"""The player's server as a stranger meets it: token, origin, one player, idle sessions, junk."""

import asyncio
import contextlib
import json
import struct
import urllib.error
import urllib.request
from urllib.parse import urlsplit

import numpy as np
import pytest

from common.data.arcade import Catch, Rooms
from common.play import protocol
from common.play.errors import PlayError
from common.play.log import Log, checksum
from common.play.notebook import play
from common.play.playable import find, of_objects
from tests.common.play_worlds import DreamedGame

pytest.importorskip("tornado", reason="tornado is not installed (extra course)")
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import WebSocketClosedError, websocket_connect

from common.play import server as servers

SIZE = 64 * 64 * 3


@pytest.fixture
def serve():
    """`serve(playable, **options)`: a server on a thread."""
    started = []

    def start(playable=None, **options):
        started.append(servers.BackgroundServer(playable or find("rooms", engine=True), **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def address(server, token=None, path="/socket", host=None):
    parts = urlsplit(server.url)
    query = parts.query if token is None else f"token={token}"
    scheme = "ws" if path == "/socket" else "http"
    return f"{scheme}://{host or parts.netloc}{path}?{query}"


def talk(conversation):
    """Run a conversation; it may take half a minute."""
    return asyncio.run(asyncio.wait_for(conversation, 30))


class Player:
    """What a page does, without the page."""

    def __init__(self, connection):
        self.connection, self.audits, self.says = connection, [], []

    @classmethod
    async def come(cls, server, more=""):
        player = cls(await websocket_connect(address(server) + more))
        player.about = (await player.hear_words())["about"]
        player.first = await player.hear(protocol.FRAME)
        return player

    async def hear(self, kind):
        while True:
            message = await self.connection.read_message()
            if message is None:
                raise ConnectionError(self.connection.close_code, self.connection.close_reason)
            if isinstance(message, str):
                self.says.append(json.loads(message))
            elif message[0] == kind:
                return message
            else:
                self.audits.append(message)

    async def hear_words(self):
        message = await self.connection.read_message()
        if message is None:
            raise ConnectionError(self.connection.close_code, self.connection.close_reason)
        return json.loads(message)

    async def ask(self, held=0):
        with contextlib.suppress(WebSocketClosedError):  # `hear` says why
            await self.connection.write_message(struct.pack("<BI", 1, held), binary=True)
        return await self.hear(protocol.FRAME)

    async def tell(self, **words):
        await self.connection.write_message(json.dumps(words))


async def ended(connection):
    """Why a connection ended."""
    while await connection.read_message() is not None:
        pass
    return connection.close_code, connection.close_reason


def status(url, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def test_the_page_needs_the_token(serve):
    server = serve()
    assert status(address(server, path="/"))[0] == 200
    for token in ("", "wrong", "ü"):
        code, words, _ = status(address(server, token=urllib.request.quote(token), path="/"))
        assert code == 403 and "token" in words and "canvas" not in words


def test_the_page_is_whole_and_loads_nothing(serve):
    """One file under a policy that allows its own script and its own server; another nonce each time."""
    server = serve()
    pages = [status(address(server, path="/")) for _ in range(2)]
    nonces = {headers["Content-Security-Policy"] for _, _, headers in pages}
    assert len(nonces) == 2 and all("default-src 'none'" in policy for policy in nonces)
    _, html, _ = pages[0]
    assert "{css}" not in html and "{js}" not in html and "{nonce}" not in html
    assert "http://" not in html and "https://" not in html


def test_only_this_machine_can_reach_it(serve):
    """It listens on the loopback address, and a foreign name that points here is refused."""
    server = serve()
    assert urlsplit(server.url).hostname == "127.0.0.1"
    assert {s.getsockname()[0] for s in servers.listen(None)} == {"127.0.0.1"}
    url = address(server, path="/")
    assert status(url, Host=f"evil.example:{urlsplit(url).port}")[0] == 403
    assert status(url, Host=f"localhost:{urlsplit(url).port}")[0] == 200


@pytest.mark.parametrize(
    "request_of",
    [
        lambda server: HTTPRequest(address(server, token="wrong")),
        lambda server: HTTPRequest(address(server), headers={"Origin": "http://evil.example"}),
        lambda server: HTTPRequest(address(server), headers={"Origin": "http://127.0.0.1:1"}),
        lambda server: HTTPRequest(address(server), headers={"Host": "evil.example:80"}),
    ],
)
def test_the_socket_is_refused(serve, request_of):
    """Without the token, from a page of another origin, under another name."""
    server = serve()

    async def conversation():
        with pytest.raises(HTTPClientError) as refused:
            await websocket_connect(request_of(server))
        assert refused.value.code == 403
        own = HTTPRequest(address(server), headers={"Origin": f"http://{urlsplit(server.url).netloc}"})
        assert "about" in json.loads(await (await websocket_connect(own)).read_message())

    talk(conversation())


def test_a_question_and_an_answer(serve):
    """The frames are the session's own; the log in the page's hands proves them; a video and a restart come."""
    server = serve(of_objects(Rooms, DreamedGame(), game_name="rooms"), seed=4)

    async def conversation():
        player = await Player.come(server)
        assert player.about["buttons"][0]["word"] == "left" and player.about["height"] == 64
        await player.tell(do="record")
        frames = [player.first] + [await player.ask(2) for _ in range(30)]
        assert all(len(frame) == 12 + SIZE for frame in frames)
        assert [struct.unpack_from("<I", frame, 4)[0] for frame in frames] == list(range(31))
        assert {frame[1] for frame in frames[1:]} == {2}, "button 1 is `right`"
        await player.tell(do="settings", num_steps=5, context_noise=0.5)
        await player.tell(do="save log")
        name, content = opened(await player.hear(protocol.FILE))
        assert name == "rooms-seed-4.json"
        checks = json.loads(content)["checks"]
        assert checks == [checksum(np.frombuffer(frame[12:], np.uint8)) for frame in frames]
        assert json.loads(content)["moves"][-1] == ["set", 5, 0.5]
        await player.tell(do="save video", fps=20)
        name, content = opened(await player.hear(protocol.FILE))
        assert name == "rooms-seed-4.mp4" and content[4:8] == b"ftyp"
        await player.tell(do="save video", fps=20)
        await player.tell(do="restart", seed=77)
        assert struct.unpack_from("<I", await player.hear(protocol.FRAME), 4) == (0,)
        assert player.says == [{"say": "nothing was recorded"}, {"seed": 77}]
        audits = [struct.unpack_from("<BBHI16f", audit) for audit in player.audits]
        assert [audit[3] for audit in audits[:31]] == list(range(31)), "an audit for each frame, in order"
        assert set(audits[-1][4:]) == {1.0} and len(player.audits[-1]) == 8 + 64 + SIZE

    talk(conversation())


def opened(message):
    length = message[1]
    return message[2 : 2 + length].decode(), message[2 + length :]


JUNK = [
    b"",
    b"\x01",
    b"\x02\x00\x00\x00\x00",
    b"\x01\x00\x00\x00\x00\x00",
    "",
    "{",
    "[]",
    "null",
    "[" * 1000,
    '{"do": "exec"}',
    '{"do": ["restart"]}',
    '{"do": "restart", "seed": -1}',
    '{"do": "restart", "seed": "1"}',
    '{"do": "restart", "seed": 1e99}',
    '{"do": "settings", "num_steps": 2}',
    '{"do": "settings", "num_steps": 1000, "context_noise": 0}',
    '{"do": "settings", "num_steps": 2, "context_noise": NaN}',
    '{"do": "save video", "fps": true}',
    '{"do": "save video", "fps": 0}',
]


@pytest.mark.parametrize("message", JUNK)
def test_junk_is_no_message(message):
    with pytest.raises(protocol.ProtocolError):
        protocol.read(message)


@pytest.mark.parametrize(("message", "code"), [(b"\x01", servers.JUNK), ("{", servers.JUNK), ("x" * 5000, 1009)])
def test_junk_ends_the_session_and_nothing_else(serve, message, code):
    """With a reason, and the next page plays."""
    server = serve()

    async def conversation():
        player = await Player.come(server)
        await player.connection.write_message(message, binary=isinstance(message, bytes))
        assert (await ended(player.connection))[0] == code
        again = await Player.come(server)
        assert len(await again.ask(1)) == 12 + SIZE

    talk(conversation())


def test_one_player_at_a_time(serve):
    """The second is told so, and the first plays on; who takes over ends the first; who leaves makes room."""
    server = serve()

    async def conversation():
        first = await Player.come(server)
        second = await websocket_connect(address(server))
        assert await ended(second) == (servers.BUSY, "this game is being played in another window")
        await first.ask(1)
        third = await Player.come(server, "&take=1")
        assert (await ended(first.connection))[0] == servers.MOVED
        await third.ask(1)
        third.connection.close()
        await asyncio.sleep(0.3)
        await (await Player.come(server)).ask(1)

    talk(conversation())


def test_an_idle_session_ends(serve, tmp_path):
    """Frames without a key do not keep it; keys do; the log of what was played is handed over."""
    kept = []
    server = serve(idle=1.5, at_end=kept.append)

    async def conversation():
        player = await Player.come(server)
        for number in range(8):
            await player.ask(number % 2)
            await asyncio.sleep(0.2)
        with pytest.raises(ConnectionError) as gone:
            for _ in range(40):
                await player.ask(1)
                await asyncio.sleep(0.2)
        return gone.value.args[0]

    assert talk(conversation()) == servers.IDLED
    (log,) = kept
    (tmp_path / "log.json").write_bytes(log.to_bytes())
    assert Log.from_file(tmp_path / "log.json").moves[2][1][:4] == [0, 1, 0, 1]


def test_a_game_that_fails_says_so(serve):
    """A learner's mistake ends the session with its own words, and the server lives on."""

    class Fails:
        name, actions, number = "fails", ("stay", "go"), 0

        def reset(self, seed):
            self.number = 0

        def step(self, action):
            self.number += 1
            return () if self.number < 3 else 1 / 0

        def frame(self):
            return np.zeros((8, 8, 3), dtype=np.uint8)

    server, other = serve(of_objects(Fails)), serve(of_objects(Fails), explain=lambda error: f"yours: {error}")

    async def conversation(server, words):
        for _ in range(2):
            player = await Player.come(server)
            with pytest.raises(ConnectionError) as gone:
                for _ in range(5):
                    await player.ask()
            assert gone.value.args == (servers.BROKEN, words)
            await asyncio.sleep(0.2)

    talk(conversation(server, "ZeroDivisionError: division by zero"))
    talk(conversation(other, "yours: division by zero"))


def test_a_taken_port_is_not_the_end():
    """The next free one is taken, and if there is none it says so."""
    taken = servers.listen(None)[0]
    port = taken.getsockname()[1]
    if port < 65000:
        other = servers.listen(port)[0]
        assert port < other.getsockname()[1] <= port + servers.MORE_PORTS
        other.close()
    with pytest.raises(PlayError, match="are taken"):
        servers.listen(65536)
    taken.close()


def test_in_a_notebook():
    """A frame of the page's own server on this machine; a second call ends the first."""
    first = play("rooms", engine=True)
    assert f'<iframe src="{first.url}"' in first._repr_html_() and first.url.startswith("http://127.0.0.1:")
    assert status(first.url)[0] == 200
    second = play(Catch, height=400)
    assert 'height="400"' in second._repr_html_()
    with pytest.raises(urllib.error.URLError):
        status(first.url)
    third = play(DreamedGame(), game="rooms")
    with pytest.raises(PlayError, match="a game is its class"):
        play(DreamedGame())
    third.stop()
    with pytest.raises(urllib.error.URLError):
        status(third.url)


def test_a_game_with_a_process_ends_it(serve):
    """Each game that was made is closed: the one that was looked at, the one that was played."""
    made, closed = [], []

    class Process:
        name, actions = "process", ("stay",)

        def __init__(self):
            made.append(self)

        def reset(self, seed):
            pass

        def step(self, action):
            return ()

        def frame(self):
            return np.zeros((8, 8, 3), dtype=np.uint8)

        def close(self):
            closed.append(self)

    server = serve(of_objects(Process))

    async def conversation():
        player = await Player.come(server)
        await player.ask()
        player.connection.close()
        await asyncio.sleep(0.5)

    talk(conversation())
    assert len(made) == 2 and closed == made
