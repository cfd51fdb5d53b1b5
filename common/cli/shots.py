"""The shots of a video file: what `show --cuts` draws, and `show --split` writes."""

from pathlib import Path

import click

from common.data import DataError, excerpts
from common.data.sources import sources
from common.evaluation import cuts as evaluation
from common.show import contact_sheet
from common.video import VideoReader, cuts

MOST_SHOTS = 240  # on one sheet


def draw_shots(path, target: Path, *, columns: int | None = None, width: int = 200, split=None) -> list[int]:
    """Find the cuts of a video file, say where they are, and draw the middle frame of each shot.

    The cuts are those of `common.video.cuts.detect_cuts`, looked up when they are needed. Where the true cuts of this
    very file are known (the bundled excerpt, fetched film), the scores against them are said too.

    Args:
        path: a video file.
        target: where to write the sheet, a PNG or JPEG file.
        columns: frames in a row; chosen from their number if None.
        width: of one frame on the sheet, in pixels.
        split: a folder to write each shot to, as a lossless file of its own, or None.

    Returns:
        Numbers of the frames at which a new shot begins.

    Raises:
        ValueError: the file cannot be read, or the cuts do not fit it.
        OSError: a file cannot be written.
    """
    found = cuts.detect_cuts(path)
    with VideoReader(path) as reader:
        info, timestamps = reader.info, reader.timestamps
        shots = cuts.shot_ranges(found, len(reader))[:MOST_SHOTS]
        shorter = min(info.width, info.height)
        size = min(shorter, max(16, -(-width * shorter // info.width)))  # no larger than the sheet shows them
        frames = reader.read([(start + stop) // 2 for start, stop in shots], size=size)
    labels = [f"{k}  ·  {a} to {b - 1}  ·  {timestamps[a]:.2f} s" for k, (a, b) in enumerate(shots, start=1)]
    left_out = f", the first {MOST_SHOTS} of them" if len(found) >= MOST_SHOTS else ""
    count = "1 shot" if not found else f"{len(found) + 1} shots"
    title = f"{Path(path).name}  ·  {count}{left_out}"
    contact_sheet(frames, columns=columns, width=width, labels=labels, title=title).save(target, quality=90)
    click.echo(f"cuts at frames: {', '.join(map(str, found)) or 'none'}")
    true = known_cuts(path)
    if true:
        precision, recall, f1 = evaluation.cut_scores(found, true)
        click.echo(f"against its {len(true)} true cuts: precision {precision:.3f}, recall {recall:.3f}, F1 {f1:.3f}")
    click.echo(f"one frame a shot: {target}")
    if split is not None:
        files = cuts.split_film(path, found, split)
        click.echo(f"{count} in {split}: {files[0].name} to {files[-1].name}, {_megabytes(files):.1f} MB")
    return found


def known_cuts(path) -> tuple[int, ...]:
    """The true cuts of a file that comes with the course; empty for any other file."""
    try:
        known = {clip.path: clip.cuts for clip in excerpts()} | {film.location: film.cuts for film in sources()}
    except DataError:  # the library alone, without the repository's films
        return ()
    path = Path(path).resolve()
    return next((true for file, true in known.items() if file.resolve() == path), ())


def _megabytes(files: list[Path]) -> float:
    return sum(file.stat().st_size for file in files) / 1e6
