"""The session of the player, without a browser: agreement, faults, replays, keys."""

import dataclasses
import json
import sys
import types

import numpy as np
import pytest

from common.data.arcade import Rooms, mixed_player
from common.data.arcade.rooms import RoomsState
from common.data.arcade.tiles import BRICK, COLUMNS, DOOR, EMPTY
from common.play import playable as playables
from common.play.audit import RECENT, Audit
from common.play.controls import Controls
from common.play.errors import PlayError
from common.play.log import Log
from common.play.referee import STRAIGHT, TURN, RoomsReferee
from common.play.replay import replay, rule_rates
from common.play.session import MOST_RECORDED, Session
from common.play.settings import Settings
from common.zoo import shelf
from tests.common.play_worlds import DreamedGame

GAMES = {"rooms": Rooms, "catch": playables.GAMES["catch"]}


def dream(name="rooms", **faults):
    return playables.of_objects(GAMES[name], DreamedGame(name, **faults), game_name=name)


def run(playable, num_frames, *, seed=5, restarts=(), player=None, name="rooms"):
    """Play and audit. Returns the session, the audit and how many pictures of the twin differed from the dream's."""
    session = Session(playable, seed)
    audit = Audit(playable, session.start, session.seed)
    player = player or mixed_player(name)
    getattr(player, "reset", lambda seed: None)(1)
    different = 0
    for number in range(num_frames):
        if number in restarts:
            audit.restart(session.restart(), session.seed)
        game = session.game if playable.world is None else session._dream.game
        action = player(game.state())
        frame = session.step(action)
        audit.follow(action, frame)
        twin = audit.twin_frame()
        different += twin is None or bool((twin[:-1] != frame[:-1]).any())  # the last row holds the settings
    return session, audit, different


def rates(audit, field="rule"):
    return {part: getattr(tally, field) for part, tally in zip(audit.parts, audit.tallies())}


@pytest.mark.parametrize("name", ["rooms", "catch"])
@pytest.mark.parametrize("as_dream", [False, True])
def test_the_engine_agrees_with_itself(name, as_dream):
    """All of 600 frames, with doors, slimes, serves and two restarts, pixel by pixel."""
    playable = dream(name) if as_dream else playables.find(name, engine=True)
    session, audit, different = run(playable, 600, restarts=(300, 500), name=name)
    assert set(rates(audit).values()) == set(rates(audit, "twin").values()) == {1.0}
    assert different == 0
    if name == "rooms" and not as_dream:
        moves = [move for move in session.log.moves if move[0] == "restart"]
        assert [seed for _, seed in moves] == [5, 6, 7]


def test_the_dice_that_make_a_slime_turn_and_go_on():
    """The engine beside the dream chooses between the two."""
    tiles = bytearray([EMPTY] * 48 + [BRICK] * COLUMNS)
    for dice, x in ((STRAIGHT, 25), (TURN, 23)):
        game = Rooms()
        game.set_state(RoomsState(bytes(tiles), 0, 40, slime=(24, 51, 1), dice=dice))
        game.step(0)
        assert game.state().slime[0] == x


def test_a_key_that_is_lost_is_no_door():
    """The engine follows the dream through a door, its own or the dream's, and nowhere else."""
    referee, game = RoomsReferee(), Rooms()
    game.reset(1)
    state = dataclasses.replace(game.state(), has_key=True)
    game.set_state(state)
    carried = referee.read(game.frame())
    game.set_state(dataclasses.replace(state, has_key=False))
    lost = referee.read(game.frame())
    game.reset(2)
    elsewhere = referee.read(game.frame())
    assert not referee.follow(state, 0, lost, carried)[1]
    assert referee.follow(state, 0, elsewhere, carried)[1], "the dream went through a door"
    row, column = divmod(state.tiles.index(DOOR), COLUMNS)
    at_door = dataclasses.replace(state, x=8 * column + 1, y=8 * row + 9)
    assert referee.follow(at_door, 0, lost, carried)[1], "the engine went through a door"


def spoil(**changes):
    """A fault in the state of frame 40 and no other."""

    def fault(game, number):
        if number == 40:
            state = game.state()
            game.set_state(dataclasses.replace(state, **{name: make(state) for name, make in changes.items()}))

    return fault


def other_tile(state):
    tiles = bytearray(state.tiles)
    place = next(k for k, tile in enumerate(tiles[:COLUMNS]) if tile == EMPTY)  # the top row, where no one is
    tiles[place] = BRICK
    return bytes(tiles)


FAULTS = {
    "player": spoil(x=lambda state: state.x + 1 if state.x < 20 else state.x - 1),
    "grid": spoil(tiles=other_tile),
    "HUD": spoil(coins=lambda state: (state.coins + 1) % 8),
}


@pytest.mark.parametrize("part", FAULTS)
def test_each_fault_is_noticed_where_it_is(part):
    """A rule is broken in one frame alone; the twin is left behind until the next start; no other part is touched."""
    stay = lambda state: 0  # noqa: E731
    _, audit, _ = run(dream(spoil=FAULTS[part]), 60, player=stay)
    judged = 60
    assert rates(audit) == {name: pytest.approx(1 - (name == part) / judged) for name in audit.parts}
    left_behind = 60 - 39
    assert rates(audit, "twin") == {name: pytest.approx(1 - (name == part) * left_behind / 60) for name in audit.parts}
    _, audit, _ = run(dream(spoil=FAULTS[part]), 60, player=stay, restarts=(45,))
    assert rates(audit, "twin")[part] == pytest.approx(1 - 6 / 60), "a restart sets the twin again"


def dark(first, last):
    return lambda frame, number: np.zeros_like(frame) if first <= number < last else frame


def test_a_dream_that_is_dark_for_a_while():
    """No part of it counts as right; the engine goes on beside it, and they agree again afterwards."""
    _, audit, _ = run(dream(paint=dark(20, 30)), 50, player=lambda state: 0)
    assert rates(audit, "twin")["player"] == rates(audit, "twin")["grid"] == pytest.approx(40 / 50)
    assert rates(audit)["player"] == pytest.approx(39 / 50), "after the dark the first step has no state to begin with"


def test_an_engine_that_cannot_be_set():
    """Where a ball should be served nothing is seen: there is no engine to show, until there is something again."""
    session = Session(dream("catch", paint=dark(20, 40)), 1)
    audit = Audit(session.playable, session.start, 1)
    shown = []
    for _ in range(60):
        audit.follow(0, session.step(0))
        shown.append(audit.twin_frame() is not None)
    first, last = shown.index(False), 59 - shown[::-1].index(False)
    assert 19 <= first < last == 38 and not any(shown[first:last])
    assert rates(audit, "twin") == {"paddle": pytest.approx(39 / 60), "ball": pytest.approx(39 / 60)}


def test_the_recent_counts_forget():
    """What is older than `RECENT` frames counts in the whole alone."""
    _, audit, _ = run(dream(spoil=FAULTS["HUD"]), 41 + RECENT, player=lambda state: 0)
    assert audit.tallies()[2].rule_recent == 1.0 and audit.tallies()[2].rule < 1


def play_some(playable):
    session = Session(playable, 9, Settings(3, 0.25))
    frames = [session.frame]
    for number in range(120):
        if number == 40:
            session.configure(Settings(1, 0.5))
        if number == 70:
            session.restart()
            frames.append(session.frame)
        frames.append(session.step(number // 7 % 6))
    return session, np.stack(frames)


@pytest.mark.parametrize("make", [dream, lambda: playables.find("rooms", engine=True)])
def test_a_log_replays_to_the_bit(make, tmp_path):
    """Keys, restart and settings, through a file."""
    session, frames = play_some(make())
    path = tmp_path / "log.json"
    path.write_bytes(session.log.to_bytes())
    replayed = list(replay(Log.from_file(path), make()))
    assert (np.stack([again.frame for again in replayed]) == frames).all()
    assert all(again.is_same for again in replayed)


def test_a_replay_says_which_frames_differ(tmp_path):
    """One pixel of one frame, or other settings, and no frame else."""
    session, _ = play_some(dream())
    spot = lambda frame, number: frame ^ np.uint8(number == 30)  # noqa: E731
    different = [k for k, again in enumerate(replay(session.log, dream(paint=spot))) if not again.is_same]
    assert different == [30, 71 + 30]
    session.log.moves[0] = ["set", 4, 0.25]
    different = [k for k, again in enumerate(replay(session.log, dream())) if not again.is_same]
    assert different == [*range(1, 41)]


@pytest.mark.parametrize(
    "change",
    [
        lambda words: words.update(format="flipbook play log 0"),
        lambda words: words["checks"].pop(),
        lambda words: words["moves"].append(["keys", ["left"]]),
        lambda words: words["moves"].append(["jump", 1]),
        lambda words: words.pop("moves"),
    ],
)
def test_a_damaged_log_is_one_sentence(change, tmp_path):
    session, _ = play_some(dream())
    words = json.loads(session.log.to_bytes())
    change(words)
    (tmp_path / "log.json").write_text(json.dumps(words))
    with pytest.raises(PlayError, match=r"log\.json"):
        Log.from_file(tmp_path / "log.json")


def test_settings_reach_the_sampler():
    session = Session(dream(), 0, Settings(3, 0.5))
    assert session.world.starts == [(0, 3, 0.5)]
    session.configure(Settings(1, 0.1))
    session.restart(8)
    assert session.world.starts[1:] == [(8, 1, 0.1)]


def test_a_recording_is_what_was_seen():
    session = Session(dream(), 0)
    session.step(1)
    session.record()
    frames = [session.frame, *(session.step(2) for _ in range(5))]
    assert (np.stack(session.stop_recording()) == np.stack(frames)).all()
    session.step(0)
    assert session.recorded == [] and MOST_RECORDED >= 5 * 60 * 20


def test_keys_of_rooms():
    """Two keys make the combined action; a key that means nothing in the air of another is left out."""
    controls = Controls(Rooms.actions)
    assert [button.word for button in controls.buttons] == ["left", "right", "jump"]
    named = {held: Rooms.actions[controls.action(held)] for held in range(8)}
    assert named == {0: "stay", 1: "left", 2: "right", 3: "left", 4: "jump", 5: "jump left", 6: "jump right",
                     7: "jump left"}  # fmt: skip
    assert controls.buttons[0].opposite == 1 and controls.buttons[2].opposite is None


@pytest.mark.parametrize(
    ("actions", "keys"),
    [
        (("stay", "move left", "move right", "attack"), {"move left": "ArrowLeft", "attack": "Space"}),
        (("0", "1", "2"), {"1": "Digit1", "2": "Digit2"}),
        (("noop", "up", "jump"), {"up": "ArrowUp", "jump": "Space"}),
    ],
)
def test_keys_of_other_games(actions, keys):
    """Every action has a key of its own, none has two meanings."""
    controls = Controls(actions)
    found = {button.word: button.codes for button in controls.buttons}
    assert {word: found[word][0] for word in keys} == keys
    codes = [code for button in controls.buttons for code in button.codes]
    assert len(codes) == len(set(codes))
    assert sorted(controls.action(1 << k) for k in range(len(controls.buttons))) == list(range(1, len(actions)))


OWN_GAME = '''
import numpy as np

class Dot:
    """A dot that goes where it is told."""
    name, actions = "dot", ("stay", "left", "right")

    def reset(self, seed):
        self.x = seed % 16

    def step(self, action):
        self.x = (self.x + (0, -1, 1)[action]) % 16
        return ()

    def frame(self):
        frame = np.zeros((16, 16, 3), dtype=np.uint8)
        frame[8, self.x] = 255
        return frame

class NoFrame:
    name, actions = "none", ("stay",)
    def reset(self, seed): pass
    def step(self, action): return ()
    def frame(self): return 3
'''


def test_a_game_of_ones_own(tmp_path):
    """Without a reader or `set_state` it is played and replayed, and its engine runs beside a dream of it."""
    path = tmp_path / "dot.py"
    path.write_text(OWN_GAME)
    found = playables.find(f"{path}:Dot")
    session = Session(found, 3)
    audit = Audit(found, session.start, 3)
    audit.follow(1, session.step(1))
    assert session.frame[8, 2, 0] == 255 and audit.parts == () and not audit.has_twin and audit.twin_frame() is None
    assert all(again.is_same for again in replay(session.log, playables.recorded(None, f"{path}:Dot")))

    class Dream:
        num_actions, height, width, context = 3, 16, 16, 4

        def start(self, frames, actions, seed=0, num_steps=2, context_noise=0.0):
            return type("Still", (), {"step": lambda self, action: frames[-1]})()

    beside = playables.of_objects(playables.game_maker(f"{path}:Dot"), Dream())
    session = Session(beside, 3)
    audit = Audit(beside, session.start, 3)
    audit.follow(2, session.step(2))
    assert audit.has_twin and audit.twin_frame()[8, 4, 0] == 255 and session.frame[8, 3, 0] == 255


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("romms", "no game 'romms', .* did you mean rooms?"),
        ("nowhere.py:Dot", "no file nowhere.py"),
        ("no_such_module:Dot", "no_such_module cannot be loaded"),
        ("{path}:Dots", "no class 'Dots'"),
        ("{path}:NoFrame", "uint8 array"),
        ("{path}:np", "no class 'np'"),
        ("builtins:dict", "no name, no actions"),
    ],
)
def test_what_cannot_be_played_is_one_sentence(name, words, tmp_path):
    path = tmp_path / "dot.py"
    path.write_text(OWN_GAME)
    with pytest.raises(PlayError, match=words):
        playables.find(name.format(path=path))


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """As if weights were shipped: `arcade-rooms` on the shelf, and a folder."""
    folder = tmp_path / "my-world"
    folder.mkdir()
    (folder / shelf.WEIGHTS).touch()
    module = types.ModuleType("common.pipelines.world")
    module.WorldModel = type("WorldModel", (), {"from_pretrained": staticmethod(lambda name: DreamedGame())})
    monkeypatch.setitem(sys.modules, "common.pipelines.world", module)
    monkeypatch.setattr(shelf, "names", lambda: ["arcade-rooms"])
    monkeypatch.setattr(shelf, "has_weights", lambda name: True)
    return folder


def test_rooms_is_the_dream_where_there_is_one(trained):
    """By its game's name, its own or its folder's; the engine only if one asks for it."""
    for name, title in (("rooms", "arcade-rooms"), ("arcade-rooms", "arcade-rooms"), (str(trained), "my-world")):
        found = playables.find(name)
        assert (found.title, found.game_name, found.notice) == (title, "rooms", "") and found.world is not None
        log = play_some(found)[0].log
        assert all(again.is_same for again in replay(log, playables.recorded(log.world, log.game)))
    asked = playables.find("rooms", engine=True)
    assert asked.world is None and asked.notice == playables.OWN_ENGINE


def test_rooms_is_the_engine_where_there_is_no_dream(monkeypatch):
    """And the page says so."""
    monkeypatch.setattr(shelf, "has_weights", lambda name: False)
    found = playables.find("rooms")
    assert found.world is None and found.notice == playables.NO_WORLD
    with pytest.raises(PlayError, match="no shipped weights"):
        playables.find("arcade-romms")


def test_weights_beside_the_wrong_game():
    with pytest.raises(PlayError, match="the world has 6 actions and frames of 64x64"):
        playables.of_objects(GAMES["catch"], DreamedGame("rooms"))


def test_a_replay_is_judged_start_by_start():
    """Of the engine every step is right. A frame that stands still is wrong where the player should have moved."""
    playable = playables.find("rooms", engine=True)
    session, _, _ = run(playable, 60, restarts=(30,))
    frames = [replayed.frame for replayed in replay(session.log, playable)]
    assert rule_rates(session.log, frames, playable.referee) == dict.fromkeys(playable.referee.parts, 1.0)
    still = [frames[0]] * len(frames)
    assert rule_rates(session.log, still, playable.referee)["player"] < 1
    empty = Session(playable, 3)
    assert all(np.isnan(rate) for rate in rule_rates(empty.log, [empty.frame], playable.referee).values())
