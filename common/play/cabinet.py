"""The cabinet: what can be played at one address, the threads on which it runs, and who plays. One player at a time.

Torch works on one core here: the other one is the browser's. The frames are made on one thread and audited on another,
so a slow reader costs the dream nothing.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from common.play.settings import Settings

if TYPE_CHECKING:  # a server that no one plays at loads no torch
    from common.play.playable import Playable
    from common.play.sitting import Sitting

IDLE = 600.0  # seconds without a key, a restart or a slider, after which a session ends


class Cabinet:
    """One player, two threads.

    Args:
        find: what a name means.
        seed: of each session's first start.
        settings: of the sampler.
        idle: seconds after which a session without a key ends.
        at_end: called with the log of each session that ends.
        explain: words for an error that ended a session, or "" for the usual ones.
    """

    def __init__(
        self,
        find: Callable[[str], "Playable"],
        *,
        seed: int = 0,
        settings: Settings | None = None,
        idle: float = IDLE,
        at_end: Callable | None = None,
        explain: Callable[[Exception], str] | None = None,
    ):
        self.find, self.seed, self.settings, self.idle, self.at_end = find, seed, settings, idle, at_end
        self.explain = explain or (lambda error: "")
        self.player = None  # the socket of the one who plays
        self.game_thread = ThreadPoolExecutor(1, "flipbook-play", _one_core)
        self.audit_thread = ThreadPoolExecutor(1, "flipbook-audit", _one_core)

    def sit(self, name: str) -> "Sitting":
        """Begin a session. Called on the thread of the game: it may load for seconds."""
        from common.play.sitting import Sitting

        return Sitting(self.find(name), self.seed, self.settings)

    def leave(self, sitting: "Sitting") -> None:
        """End a session, once its thread has done what it is at."""
        try:
            self.game_thread.submit(sitting.close)
        except RuntimeError:  # the cabinet was closed first
            sitting.close()

    def close(self) -> None:
        """End the threads, once they have done what they are at."""
        for thread in (self.game_thread, self.audit_thread):
            thread.shutdown(wait=False)


def _one_core() -> None:
    import torch

    torch.set_num_threads(1)
