"""`play`: a world model, or a game's own engine, on a page in the browser."""

import asyncio
import webbrowser
from pathlib import Path

import click
import torch

from common.cli.user_path import UserPath
from common.play import recording
from common.play.errors import PlayError
from common.play.log import Log
from common.play.playable import find, recorded
from common.play.protocol import MOST_NOISE, MOST_STEPS
from common.play.replay import replay, rule_rates
from common.play.settings import Settings
from common.play.speed import speed_report

PORT = 8890
FPS = 20  # of a replay's video


@click.command()
@click.argument("what", default="rooms")
@click.option("--game", help="The game that a folder's weights were trained on, if it is not rooms or catch.")
@click.option("--engine", is_flag=True, help="Play the game itself, whatever weights there are.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0, 2**31 - 1), help="Another seed, another room."
)
@click.option(
    "--steps", type=click.IntRange(1, MOST_STEPS), help="Of the sampler, per frame. Default: what suits the world."
)
@click.option("--noise", type=click.FloatRange(0, MOST_NOISE),
              help="On the frames that the model sees. Default: what suits the world.")  # fmt: skip
@click.option(
    "--port", default=PORT, show_default=True, type=click.IntRange(1, 65535), help="Or the next that is free."
)
@click.option("--no-browser", is_flag=True, help="Open no browser; print the address.")
@click.option(
    "--log", "log_file", type=UserPath(dir_okay=False), help="Where to save the log of each session that ends."
)
@click.option("--replay", "replay_file", type=UserPath(exists=True, dir_okay=False),
              help="Play a log again instead, and compare every frame.")  # fmt: skip
@click.option("--speed", is_flag=True, help="Open no page: measure milliseconds per frame, on one core.")
@click.option("--video", type=UserPath(dir_okay=False), help="With --replay: write the frames as an .mp4.")
def play(what, game, engine, seed, steps, noise, port, no_browser, log_file, replay_file, speed, video, explain=None):
    """Play WHAT in the browser: rooms, catch, a folder of weights, or a game of your own (file.py:Class).

    Arrow keys play, E shows the engine beside the dream, R begins again. Stop it with Ctrl-C.
    """
    torch.set_num_threads(1)  # the other core is the browser's
    if replay_file:
        play_again(replay_file, video)
        return
    if video:
        raise PlayError("--video goes with --replay; while you play, the page's button Record makes a video")
    if log_file and not Path(log_file).parent.is_dir():
        raise PlayError(f"there is no folder {Path(log_file).parent}; make it first, or choose another --log")
    playable = find(what, game=game, engine=engine)
    own = playable.settings
    settings = Settings(own.num_steps if steps is None else steps, own.context_noise if noise is None else noise)
    if speed:
        click.echo(speed_report(playable, settings, seed))
        return
    from common.play.server import serve

    options = {"port": port, "seed": seed, "settings": settings, "explain": explain}
    if log_file:
        options["at_end"] = lambda log: Path(log_file).write_bytes(log.to_bytes())

    def ready(server):
        if playable.notice:
            click.echo(playable.notice)
        click.echo(f"{playable.title} is open at\n\n    {server.url}\n\nStop it with Ctrl-C.")
        if not no_browser:
            webbrowser.open(server.url)

    async def run():
        await serve(playable, ready, asyncio.Event(), **options)

    try:
        asyncio.run(run())
    except KeyboardInterrupt:
        click.echo("\nThe player is stopped.")


def play_again(path: str, video: str | None) -> None:
    """Replay a log; say whether every frame came out as it was.

    Raises:
        PlayError: one did not, or the log is none.
    """
    log = Log.from_file(path)
    playable, frames, different = recorded(log.world, log.game), [], []
    for number, replayed in enumerate(replay(log, playable)):
        frames.append(replayed.frame)
        if not replayed.is_same:
            different.append(number)
    if playable.referee:
        rates = ", ".join(f"{part} {rate:.0%}" for part, rate in rule_rates(log, frames, playable.referee).items())
        click.echo(f"steps that follow the rules: {rates}")
    if video:
        recording.write(Path(video), frames, FPS)
        click.echo(f"video: {video} ({len(frames)} frames, {FPS} frames per second)")
    if different:
        raise PlayError(
            f"{len(different)} of {log.num_frames} frames differ from the recorded ones, the first is frame "
            f"{different[0]}: other weights, another version of torch, or another kind of processor"
        )
    click.echo(f"{log.num_frames} frames, each the same to the bit.")
