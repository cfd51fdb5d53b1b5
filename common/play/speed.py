"""How fast something plays here, without the page: milliseconds per frame, and what a screen makes of it."""

from common.evaluation.latency import frame_pacing, measure_latency
from common.play.playable import Playable
from common.play.session import Session
from common.play.settings import Settings

TRANSPORT = 4.0  # ms: a round trip of the page's WebSocket, measured in the course's browser
REFRESH_RATE = 60.0


def speed_report(playable: Playable, settings: Settings, seed: int = 0, rounds: int = 100) -> str:
    """Play frames without a page and say how long they take.

    Args:
        playable: what is played.
        settings: of the sampler.
        seed: of the start.
        rounds: frames that are timed, with the keys in turns.
    """
    session = Session(playable, seed, settings)
    turn = _Turn(session, len(session.game.actions))
    spent = measure_latency({playable.title: turn}, rounds)[playable.title]
    session.close()
    lines = [f"{playable.title}: {spent.median:.1f} ms per frame, p95 {spent.p95:.1f}, processor {spent.cpu:.1f}"]
    for name, milliseconds in (("median", spent.median), ("p95", spent.p95)):
        seen = frame_pacing([milliseconds], TRANSPORT, REFRESH_RATE)
        lines.append(
            f"at {name}, {TRANSPORT:.0f} ms of transport, {REFRESH_RATE:.0f} Hz: {seen.fps:.0f} frames per second"
        )
    return "\n".join(lines)


class _Turn:
    """One frame per call, each with the next key."""

    def __init__(self, session: Session, num_actions: int):
        self.session, self.num_actions, self.count = session, num_actions, 0

    def __call__(self) -> None:
        self.session.step(self.count % self.num_actions)
        self.count += 1
