"""What can be played, found by its name: a world, a folder of weights, a game of one's own."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from common.data.arcade import Catch, Rooms
from common.play.errors import PlayError
from common.play.referee import REFEREES, Referee
from common.play.settings import Settings
from common.zoo import shelf

GAMES = {"rooms": Rooms, "catch": Catch}
# Their best dreams; other weights have the usual settings.
BEGINS = {"arcade-rooms": Settings(num_steps=1, context_noise=0.3),
          "arcade-rooms-fast": Settings(num_steps=1, context_noise=0.3)}  # fmt: skip
FOLDED = ("arcade-rooms-fast",)  # played with what is constant at play computed once
NO_WORLD = "No trained world is here yet: this is the engine."
OWN_GAME = "This is the game itself, frame by frame."
OWN_ENGINE = "You asked for the engine: this is the game itself."


@dataclass(frozen=True)
class Playable:
    """Something to play.

    Attributes:
        title: for people.
        make_game: a new instance of the game.
        world: the world model, or None to play the engine itself.
        referee: reads the game's pixels; None for a game that has no reader.
        notice: what the player should know, or nothing.
        settings: of the sampler, with which a session begins.
        world_name, game_name: by which a log finds them again; None for objects.
    """

    title: str
    make_game: Callable[[], Any]
    world: Any = None
    referee: Referee | None = None
    notice: str = ""
    settings: Settings = field(default_factory=Settings)
    world_name: str | None = None
    game_name: str | None = None


def find(what: str, *, game: str | None = None, engine: bool = False) -> Playable:
    """What a name means.

    Args:
        what: `rooms` or `catch`; the name of shipped weights or a folder with some; or a game of one's own as
            `file.py:Class` or `module:Class`.
        game: the game that a folder's weights were trained on, if it is not `rooms` or `catch`.
        engine: play the game itself, whatever weights there are.

    Raises:
        PlayError: there is no such thing, or the game or the weights cannot be played.
    """
    if what in GAMES:
        weights = f"arcade-{what}"
        if engine or weights not in shelf.names() or not shelf.has_weights(weights):
            return recorded(None, what, notice=OWN_ENGINE if engine else NO_WORLD)
        return recorded(weights, what)
    if ":" in what and not Path(what).is_dir():
        return recorded(None, what, notice=OWN_GAME)
    return recorded(what, game)


def recorded(world: str | None, game: str | None, *, notice: str = "") -> Playable:
    """The engine if `world` is None, else these weights beside that game; the names are those of a log.

    Raises:
        PlayError: as `find`.
    """
    if world is None:
        if game is None:
            raise PlayError("this was a game or a world of a notebook; play it again there: replay(log, playable)")
        return of_objects(game_maker(game), notice=notice, game_name=game)
    model = load_world(world)
    game = game or _guess_game(model, world)
    options = {"settings": BEGINS[world]} if world in BEGINS else {}
    return of_objects(game_maker(game), model, notice=notice, world_name=world, game_name=game, **options)


def of_objects(make_game: Callable[[], Any], world: Any = None, **names: Any) -> Playable:
    """A playable of what is there already.

    Args:
        make_game: gives a new instance of the game.
        world: a world model, or None to play the game itself.
        names: `notice`, `settings`, `world_name`, `game_name`, as in `Playable`.

    Raises:
        PlayError: the game has not what a game must have, or does not fit the world.
    """
    game = make_game()
    frame = check_game(game)
    close(game)
    if world is not None:
        fits = (len(game.actions), *frame.shape[:2]) == (world.num_actions, world.height, world.width)
        if not fits:
            raise PlayError(
                f"the world has {world.num_actions} actions and frames of {world.height}x{world.width}; "
                f"the game {game.name} has {len(game.actions)} and {frame.shape[0]}x{frame.shape[1]}"
            )
    referee = REFEREES.get(type(game))
    title = Path(names.get("world_name") or str(game.name)).name
    return Playable(title, make_game, world, referee and referee(), **names)


def game_maker(name: str) -> Callable[[], Any]:
    """What makes a game: `rooms`, `catch`, `file.py:Class` or `module:Class`.

    Raises:
        PlayError: it is not there.
    """
    if name in GAMES:
        return GAMES[name]
    place, _, attribute = name.rpartition(":")
    if not place:
        raise PlayError(f"a game is {', '.join(GAMES)}, file.py:Class or module:Class; got {name!r}")
    module = _load_file(Path(place).expanduser()) if place.endswith(".py") else _load_module(place)
    maker = getattr(module, attribute, None)
    if not callable(maker):
        raise PlayError(f"{place} has no class {attribute!r}")
    return maker


def load_world(name: str) -> Any:
    """A world model with its weights.

    Raises:
        PlayError: there are none of that name.
    """
    try:
        shelf.weights_folder(name)
    except shelf.ZooError as error:
        if name in shelf.names() or Path(name).is_dir():
            raise PlayError(str(error)) from error
        near = shelf.did_you_mean(name, [*GAMES, *shelf.names()])
        raise PlayError(
            f"there is no game {name!r}, there are no shipped weights {name!r}, and no folder with some{near} "
            "A game of your own is file.py:Class or module:Class"
        ) from error
    from common.pipelines.world import WorldModel  # only where there are weights to load

    return WorldModel.from_pretrained(name, **({"folded": True} if name in FOLDED else {}))


def check_game(game: Any) -> np.ndarray:
    """The first frame of a game that can be played.

    Raises:
        PlayError: something of the protocol is missing, or a frame is no picture.
    """
    missing = [name for name in ("name", "actions", "reset", "step", "frame") if not hasattr(game, name)]
    if missing:
        raise PlayError(
            f"{type(game).__name__} is no game: it has no {', no '.join(missing)} (common.data.arcade.Game)"
        )
    if not len(game.actions) or not all(isinstance(name, str) for name in game.actions):
        raise PlayError(f"a game's actions are names, got {game.actions!r}")
    game.reset(0)
    frame = game.frame()
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3:
        shown = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise PlayError(f"a game's frame is a uint8 array (H, W, 3), got {shown}")
    return frame


def close(game: Any) -> None:
    """End a game's process, if it has one."""
    if callable(getattr(game, "close", None)):
        game.close()


def _guess_game(world: Any, name: str) -> str:
    shape = (world.num_actions, world.height, world.width)
    for game, maker in GAMES.items():
        example = maker()
        if (len(example.actions), *example.frame().shape[:2]) == shape:
            return game
    raise PlayError(
        f"say which game {name} was trained on: --game file.py:Class (it starts the dream with real frames)"
    )


def _load_file(path: Path):
    if not path.is_file():
        raise PlayError(f"there is no file {path}")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    return _run(lambda: spec.loader.exec_module(module), str(path)) or module


def _load_module(name: str):
    return _run(lambda: importlib.import_module(name), name)


def _run(load: Callable[[], Any], name: str):
    try:
        return load()
    except Exception as error:  # whatever a stranger's module raises
        raise PlayError(f"{name} cannot be loaded: {type(error).__name__}: {error}") from error
