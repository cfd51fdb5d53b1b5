"""`flipbook COMMAND` and `python -m common.course COMMAND`: every command, each imported only when it runs."""

import importlib
import sys
from typing import NoReturn

import click

from common import files
from common.course.base.guess import did_you_mean
from common.course.base.paths import CourseError

# name -> (module:function, one line for `flipbook --help`). The module is imported when the command is called.
COMMANDS = {
    "learn": ("common.course.commands.learn:learn", "Open JupyterLab on the start page."),
    "start": ("common.course.commands.workspace:start", "Copy a lab into work/, where your answers live."),
    "check": ("common.course.commands.check:check", "Check a lab, or one exercise of it."),
    "watch": ("common.course.commands.watch:watch", "Check each notebook as you save it."),
    "hint": ("common.course.commands.workspace:hint", "Show the next hint of an exercise."),
    "reset": ("common.course.commands.workspace:reset", "Put an exercise back to its empty form (a backup is kept)."),
    "progress": ("common.course.commands.workspace:progress", "Show how far you have come."),
    "solution": (
        "common.course.commands.workspace:solution",
        "Show the reference answer of an exercise you have passed.",
    ),
    "show": ("common.course.commands.show:show", "Draw a contact sheet of any video file."),
    "data": ("common.cli.data:data", "List, verify and fetch the course's real clips."),
    "train": ("common.course.commands.mine:train", "Train a recipe; stopped in whatever way, it goes on where it was."),
    "zoo": ("common.cli.zoo:zoo", "List the weights that are shipped."),
    "evaluate": (
        "common.course.commands.mine:evaluate",
        "Measure shipped weights again, and say where their card differs.",
    ),
    "reconstruct": (
        "common.course.commands.mine:reconstruct",
        "Draw what an autoencoder makes of a clip: original, reconstruction, difference.",
    ),
    "play": ("common.course.commands.mine:play", "Play a world model or a game in the browser."),
    "generate": ("common.course.commands.generate:generate", "Make a video of a prompt, with the shipped weights."),
    "animate": ("common.course.commands.animate:animate", "Make a picture move, with the shipped weights."),
    "grade": ("common.course.commands.grade:grade", "Grade a folder of submissions, each in a sandbox."),
    "mutants": (
        "common.course.commands.mutants:mutants",
        "Prove the graders: every wrong answer fails, every right one passes.",
    ),
    "new": ("common.course.commands.new:new", "Start a new lab that builds, with grader, bank and calibration."),
    "build": ("common.course.commands.build:build", "Build solutions and labs from their sources."),
    "doctor": ("common.course.commands.doctor:doctor", "Look at this installation and say what is missing."),
    "test": ("common.course.commands.test:test", "Run every check there is."),
}


def say(error: click.ClickException) -> NoReturn:
    """Say what click found wrong in the style of every other error, and end."""
    words = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx:
        words += f"\n(`{error.ctx.command_path} --help` shows how it is used)"
    click.echo(f"flipbook: {words}", err=True)
    sys.exit(error.exit_code)


def is_package(exc: ImportError) -> bool:
    """Whether what cannot be imported is a package of others that is not there."""
    top = (exc.name or "").partition(".")[0]
    return isinstance(exc, ModuleNotFoundError) and top not in {"common", *sys.stdlib_module_names}


def missing(exc: ImportError) -> str:
    """One sentence for a package that is not installed."""
    return (
        f"this command needs the package {(exc.name or '').partition('.')[0]}, which is not installed. The course's "
        "environment has it (`python3 flipbook.py doctor` in a clone); so has: pip install 'flipbook-video[course]'."
    )


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports one only when it is asked for."""

    def list_commands(self, ctx):
        return list(COMMANDS)

    def get_command(self, ctx, name):
        if name == "help":
            return help_command
        if name not in COMMANDS:
            return None
        module, function = COMMANDS[name][0].split(":")
        return getattr(importlib.import_module(module), function)

    def resolve_command(self, ctx, args):
        """The command; a mistyped one gets the nearest name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            error.message = f"there is no command {args[0]!r}.{did_you_mean(args[0], COMMANDS)}"
            raise

    def parse_args(self, ctx, args):
        """The options before the command."""
        try:
            return super().parse_args(ctx, args)
        except click.exceptions.NoArgsIsHelpError:
            raise
        except click.UsageError as error:
            say(error)

    def invoke(self, ctx):
        """Run the command; what a person can mend is said in one line, with exit code 2."""
        try:
            return super().invoke(ctx)
        except click.ClickException as exc:
            if isinstance(exc, click.exceptions.NoArgsIsHelpError):
                raise
            say(exc)
        except ImportError as exc:
            if ctx.params.get("debug") or (exc.name and not is_package(exc)):  # a fault of ours: show all of it
                raise
            click.echo(f"flipbook: {missing(exc) if exc.name else exc}", err=True)  # without a name: worded for people
            sys.exit(2)
        except (CourseError, ValueError) as exc:
            if ctx.params.get("debug"):
                raise
            words = str(exc) or type(exc).__name__
            if (
                not isinstance(exc, CourseError) and type(exc) is ValueError
            ):  # not worded for a person: say how to see more
                words += "\n(`flipbook --debug …` shows where this comes from)"
            click.echo(f"flipbook: {words}", err=True)
            sys.exit(2)
        except OSError as exc:
            if ctx.params.get("debug") or not files.is_refused(exc):
                raise
            click.echo(f"flipbook: {files.sentence(exc)}", err=True)
            sys.exit(2)

    def format_commands(self, ctx, formatter):
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.command("help")
@click.argument("name", metavar="[COMMAND]", required=False)
@click.pass_context
def help_command(context, name):
    """What a command does, or which commands there are."""
    group = context.parent.command
    if name is None:
        click.echo(group.get_help(context.parent))
        return
    found = group.get_command(context, name)
    if found is None:
        raise CourseError(f"there is no command {name!r}.{did_you_mean(name, COMMANDS)}")
    with click.Context(found, info_name=name, parent=context.parent) as inner:
        click.echo(found.get_help(inner))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="flipbook-video", prog_name="flipbook")
@click.option("--debug", is_flag=True, envvar="FLIPBOOK_DEBUG", help="Show where an error comes from.")
def main(debug):
    """Flipbook: learn video generation by building a video generator."""


if __name__ == "__main__":
    main(prog_name="flipbook")
