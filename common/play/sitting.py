"""A player's time at the cabinet: the session, its audit and the keys, in messages."""

import time

import numpy as np

from common.play import controls, protocol, recording
from common.play.audit import Audit
from common.play.playable import Playable
from common.play.protocol import Ask, Command
from common.play.session import MOST_RECORDED, Session
from common.play.settings import Settings


class Sitting:
    """Answers the messages of one page. Its methods run on the cabinet's threads.

    Args:
        playable: what is played.
        seed: of the first start.
        settings: of the sampler.
    """

    def __init__(self, playable: Playable, seed: int = 0, settings: Settings | None = None):
        self.playable, self.session = playable, Session(playable, seed, settings)
        self.controls = controls.Controls(tuple(self.session.game.actions))
        self.audit = Audit(playable, self.session.start, self.session.seed)
        self.last_deed, self._held = time.monotonic(), 0

    def close(self) -> None:
        """Stand up."""
        self.session.close()
        self.audit.close()

    def about(self) -> dict:
        """What the page must know."""
        session, settings = self.session, self.session.settings
        return {
            "title": self.playable.title,
            "notice": self.playable.notice,
            "is_dream": self.playable.world is not None,
            "has_twin": self.audit.has_twin,
            "parts": self.audit.parts,
            "actions": list(session.game.actions),
            "buttons": [vars(button) for button in self.controls.buttons],
            "height": session.height,
            "width": session.width,
            "seed": session.seed,
            "num_steps": settings.num_steps,
            "context_noise": settings.context_noise,
            "most_recorded": MOST_RECORDED,
        }

    def ask(self, message: Ask) -> tuple[int, bytes]:
        """The next frame: the action that led to it, and the message."""
        if message.held != self._held:
            self._held, self.last_deed = message.held, time.monotonic()
        action = self.controls.action(message.held)
        begin = time.perf_counter()
        frame = self.session.step(action)
        milliseconds = (time.perf_counter() - begin) * 1000
        return action, protocol.frame_message(self.session.number, action, milliseconds, frame)

    def follow(self, action: int, number: int, frame: np.ndarray) -> bytes:
        """The audit of a frame."""
        self.audit.follow(action, frame)
        return self.audited(number)

    def audited(self, number: int) -> bytes:
        """What the audit says now."""
        numbers = [
            rate
            for tally in self.audit.tallies()
            for rate in (tally.rule_recent, tally.rule, tally.twin_recent, tally.twin)
        ]
        return protocol.audit_message(number, numbers, self.audit.twin_frame())

    def obey(self, command: Command) -> list[bytes | dict]:
        """Do it. Returns the messages that answer it."""
        self.last_deed, session = time.monotonic(), self.session
        if command.do == "restart":
            self.audit.restart(session.restart(command.seed), session.seed)
            first = protocol.frame_message(0, 0, 0.0, session.frame)
            return [{"seed": session.seed}, first, self.audited(0)]
        if command.do == "settings":
            session.configure(command.settings)
            return []
        if command.do == "record":
            session.record()
            return []
        stem = f"{recording.plain(self.playable.title)}-seed-{session.seed}"
        if command.do == "save log":
            return [protocol.file_message(f"{stem}.json", session.log.to_bytes())]
        frames = session.stop_recording()
        if not frames:
            return [{"say": "nothing was recorded"}]
        return [protocol.file_message(f"{stem}.mp4", recording.video(frames, command.fps))]
