"""`show`: a contact sheet of any video file."""

from pathlib import Path

import click

from common.cli.flow_sheet import draw_flow
from common.cli.shots import draw_shots
from common.cli.user_path import UserPath
from common.evaluation import temporal
from common.show import Picture, contact_sheet
from common.video import VideoReader, sampling
from common.video.probe import VideoInfo

LARGE = 720  # rows and columns beyond which frames are read smaller than they are: a sheet shows them smaller still


def draw_sheet(
    path,
    num_frames: int = 12,
    fps: float | None = None,
    start: float = 0.0,
    columns: int | None = None,
    width: int = 200,
    out=None,
    cuts: bool = False,
    split=None,
    flow: bool = False,
) -> Path:
    """Draw a contact sheet of a video file, and say what the file is.

    The clip is sampled by `common.video.sampling.sample_clip`, looked up when it is needed.

    Args:
        path: a video file.
        num_frames: frames on the sheet.
        fps: frames per second to sample at, or None for evenly from `start` to the end.
        start: seconds into the video.
        columns: frames in a row; chosen from their number if None.
        width: of one frame on the sheet, in pixels.
        out: where to write the sheet, a PNG or JPEG file; `NAME_sheet.png` in the current folder if None.
        cuts: also look for cuts, and draw another sheet with one frame of each shot, `NAME_shots.png`.
        split: a folder to write each shot to, as a lossless file of its own; it implies `cuts`.
        flow: also draw a second sheet with the motion from each of the frames to the next, `NAME_flow.png`.

    Returns:
        The path of the sheet.

    Raises:
        ValueError: the file cannot be read (a `VideoError`), or an argument is out of its range.
        OSError: the sheet cannot be written.
    """
    with VideoReader(path) as reader:
        info, timestamps = reader.info, [*reader.timestamps, reader.info.duration]  # the last frame stays until then
    clip = _sample(path, info, num_frames, fps, start)
    labels = _labels(timestamps, clip.shape[1], fps, start)
    sheet = contact_sheet(clip, columns=columns, width=width, labels=labels, title=_title(path, info))
    target = Path(out) if out is not None else Path(f"{Path(path).stem}_sheet.png")
    _save(sheet, target)
    size = f"{info.width}x{info.height}"
    click.echo(f"{path}: {size}, {info.fps:.2f} fps, {info.duration:.2f} s, {info.num_frames} frames")
    if clip.shape[1] > 1:
        motion = float(temporal.motion_score(clip))
        click.echo(f"motion score between neighbouring frames of the sheet: {motion:.4f}")
    click.echo(f"contact sheet: {target}")
    if cuts or split is not None:
        stem = target.stem if out is not None else Path(path).stem
        shots = target.with_name(f"{stem}_shots{target.suffix}")
        draw_shots(path, shots, columns=columns, width=width, split=split)
    if flow:
        stem = target.stem if out is not None else Path(path).stem
        motion_sheet = target.with_name(f"{stem}_flow{target.suffix}")
        indices = _indices(timestamps, clip.shape[1], fps, start)
        click.echo(draw_flow(path, motion_sheet, indices, columns=columns, width=width))
        click.echo(f"flow sheet: {motion_sheet}")
    return target


def sheet_options(command):
    """The options of `draw_sheet`, for each command that draws one."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


OPTIONS = (
    click.option("-n", "--num-frames", default=12, show_default=True, type=click.IntRange(1), help="How many frames."),
    click.option("--fps", type=click.FloatRange(0, min_open=True), help="Sample at this rate instead of evenly."),
    click.option("--start", default=0.0, type=click.FloatRange(0), help="Seconds into the video."),
    click.option("--columns", type=click.IntRange(1), help="Frames in a row."),
    click.option("--width", default=200, show_default=True, type=click.IntRange(32, 4096), help="Of one frame."),
    click.option("-o", "--out", type=UserPath(dir_okay=False), help="The picture [default: CLIP_sheet.png, here]."),
    click.option("--cuts", is_flag=True, help="Find the cuts too, and draw CLIP_shots.png: one frame of each shot."),
    click.option("--split", type=UserPath(file_okay=False), help="Write each shot to this folder, without loss."),
    click.option("--flow", is_flag=True, help="Draw CLIP_flow.png too: how each frame moves to the next."),
)


@click.command()
@click.argument("clip", type=UserPath())
@sheet_options
def show(clip, **options):
    """Draw a contact sheet of the video file CLIP."""
    try:
        draw_sheet(clip, **options)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _sample(path, info: VideoInfo, num_frames: int, fps: float | None, start: float):
    if min(info.width, info.height) > LARGE:
        return sampling.sample_clip(path, num_frames, fps=fps, start=start, size=LARGE)
    return sampling.sample_clip(path, num_frames, fps=fps, start=start)


def _labels(timestamps, num_frames: int, fps: float | None, start: float) -> list[str]:
    """The numbers of the sheet's frames in the video, and the seconds at which they appear."""
    return [f"{i}  ·  {timestamps[i]:.2f} s" for i in _indices(timestamps, num_frames, fps, start)]


def _indices(timestamps, num_frames: int, fps: float | None, start: float) -> list[int]:
    """The numbers of the sheet's frames in the video; the last of `timestamps` is the video's end."""
    if fps is not None:
        return sampling.fps_indices(timestamps, fps, num_frames, start)
    [first] = sampling.fps_indices(timestamps, 1.0, 1, start)
    return [first + i for i in sampling.even_indices(len(timestamps) - 1 - first, num_frames)]


def _title(path, info: VideoInfo) -> str:
    rate = f"{info.fps:.2f}".rstrip("0").rstrip(".")
    return f"{Path(path).name}  ·  {info.width}×{info.height}  ·  {rate} fps  ·  {info.duration:.2f} s"


def _save(sheet: Picture, target: Path) -> None:
    if target.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise ValueError(f"a sheet is a .png or .jpg file, not {target.name!r}")
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target, quality=90)
