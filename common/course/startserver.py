"""The part of `flipbook learn` that runs inside Jupyter's server: the start page's two addresses, and the player.

JupyterLab's own start is left as it is; this adds a template and a file read to it.
"""

import asyncio
from pathlib import Path

import tornado.web
import zmq
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join

from common.course.base import paths
from common.course.base.paths import CourseError
from common.course.learner import workspace
from common.course.setup import play_pages
from common.course.startpage import view


class StartPage(JupyterHandler):
    """`GET flipbook/start`: the page as it is now. Tornado answers 304 to a reader who has this version."""

    @tornado.web.authenticated
    def get(self):
        try:
            start_new_labs()
            self.finish(view.html(self.base_url))
        except CourseError as error:
            self.set_status(500)
            self.finish(str(error))


class Tick(JupyterHandler):
    """`POST flipbook/tick {"item": ..., "done": ...}`: one item of the checklist, by hand."""

    @tornado.web.authenticated
    def post(self):
        wish = self.get_json_body() or {}
        try:
            view.tick(str(wish.get("item")), bool(wish.get("done")))
        except CourseError as error:
            raise tornado.web.HTTPError(404, str(error)) from None
        self.finish({})


def _jupyter_server_extension_points():
    return [{"module": __name__}]


def _load_jupyter_server_extension(server):
    address = url_path_join(server.base_url, "flipbook")
    handlers = [(url_path_join(address, "start"), StartPage), (url_path_join(address, "tick"), Tick)]
    server.web_app.add_handlers(".*", handlers + play_pages.handlers(address))
    if zmq.has("curve"):  # without encryption each kernel prints a warning into the learner's terminal
        server.kernel_manager.config.KernelManager.transport_encryption = "auto"
    server.io_loop.add_callback(announce, server)
    server.io_loop.add_callback(trust_copies, server.contents_manager)


def start_new_labs() -> None:
    """Put labs that an update brought while the server runs under `work/`, so that their links lead somewhere."""
    for lab in paths.all_labs():
        if lab.notebook("labs").exists() and not lab.notebook("work").exists():
            workspace.start(lab)


async def trust_copies(contents) -> None:
    """Copies that are still what the course shipped may show their outputs without a question.

    One at a time, so that the server answers in between.
    """
    import nbformat

    released = [*workspace.tutorials(), *(lab.notebook("labs") for lab in paths.all_labs())]
    for release in filter(Path.exists, released):
        copy = workspace.copied_to(release)
        if copy.exists() and copy.read_text(encoding="utf-8") == workspace.copy_of(release, copy):
            contents.notary.sign(nbformat.read(copy, as_version=4))
        await asyncio.sleep(0)


def announce(server) -> None:
    """Say where the page is, once the server answers there."""
    wanted = server.config.ServerApp.get("port")
    if wanted and wanted != server.port:
        print(f"Port {wanted} is taken, so this is port {server.port}.")
    print(f"Flipbook is open at\n\n    {page_url(server)}\n\nStop it with Ctrl-C.", flush=True)


def page_url(server) -> str:
    """The address that opens the start page in any browser on this machine."""
    token = server.identity_provider.token
    return f"http://{server.ip}:{server.port}{server.base_url}lab?token={token}"
