"""Make `datasets/big_buck_bunny/` anew from the whole film.

    flipbook data fetch big-buck-bunny
    python datasets/make_big_buck_bunny.py

Cuts the shots listed below out of the film at 640x360 (H.264, BT.709 tagged, closed groups of 24 frames, no sound),
reads them back, and writes `clips.json` (what each file is, its checksum and motion score) and the table in the card.
The same versions of PyAV and x264 give the same bytes; others give the same frames to the eye.
"""

import argparse
import json
import time
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av

from common.data.sources import datasets_dir, file_sha256, source_path
from common.evaluation import motion_score
from common.video import frames_to_clip, read_frames

FPS = 24
WIDTH, HEIGHT = 640, 360
CREDIT = "(c) copyright 2008, Blender Foundation / www.bigbuckbunny.org"
LICENCE = "CC-BY-3.0"
TABLE_MARKS = ("<!-- shots: written by make_big_buck_bunny.py -->", "<!-- end of shots -->")

# name: (first frame in the film, first frame after it, what is seen). No shot holds a cut or a fade.
SHOTS = {
    "wide_meadow": (11612, 11671, "A wide meadow under a big cloud; Bunny, far off, flies a kite and hardly moves."),
    "from_above": (3513, 3578, "Straight down on a green field: Bunny, very small, walks across it."),
    "glade": (9009, 9080, "Bunny waits in a sunlit glade, hands behind his back, then puts both thumbs up."),
    "bunny_rises": (1346, 1456, "Against the sky, Bunny slowly rises into view from below."),
    "bird_song": (378, 470, "A bird sings on a branch, beats its wings once and settles."),
    "burrow": (1145, 1289, "Bunny crawls out of his burrow, stretches and looks around."),
    "fruit_falls": (10016, 10081, "A fruit drops onto the empty forest floor, bounces and flies on to the left."),
    "gliding": (9795, 9850, "A flying squirrel glides past the clouds, close to the camera."),
    "flower_sniff": (1531, 1666, "Bunny walks up from far away until he fills the frame, and smells a flower."),
    "rope_skipping": (6488, 6623, "In the forest Bunny skips a rope of twisted vines, then stops and thinks."),
    "butterfly": (1813, 1919, "From above: a pink butterfly flutters over Bunny in the grass, who looks up to it."),
    "stakes": (10125, 10184, "Pointed stakes shoot out of the ground, row after row, and throw leaves into the air."),
    "wing_dance": (5013, 5079, "A red squirrel dances wildly with butterfly wings in its hands; another one watches."),
    "leap": (5079, 5131, "The red squirrel runs at a tree and somersaults off its trunk; the camera swings after it."),
    "canopy_flight": (10339, 10409, "From above: the flying squirrel glides over bushes that rush past underneath."),
}
# One piece of the film with its true cuts: the frames, counted from its start, at which a new shot begins.
EXCERPTS = {
    "film_cuts": (
        4266,
        4697,
        (66, 197, 278, 346, 406),
        "Six shots of a quarrel: Bunny pelted with fruit, the gang on a root, a squirrel and a butterfly, Bunny alone.",
    ),
}


def cut_out(film: Path, first: int, stop: int, target: Path, crf: int) -> None:
    """Write frames `first` to `stop - 1` of the film to `target`, scaled down, still in YUV all the way."""
    partial = target.with_suffix(".partial.mp4")
    options = {
        "crf": str(crf),
        "preset": "veryslow",
        "x264-params": "keyint=24:min-keyint=1:open-gop=0:threads=1:colorprim=bt709:transfer=bt709:colormatrix=bt709",
    }
    with (
        av.open(film) as source,
        av.open(partial, "w", format="mp4", options={"movflags": "+faststart", "fflags": "+bitexact"}) as out,
    ):
        out.metadata["title"] = f"Big Buck Bunny: {target.stem}"
        out.metadata["comment"] = f"{CREDIT}, {LICENCE}"
        stream = out.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.time_base = Fraction(1, FPS)
        stream.codec_context.color_range = 1  # limited
        stream.codec_context.colorspace = 1  # BT.709
        for index, frame in enumerate(_film_frames(source, first, stop)):
            small = frame.reformat(WIDTH, HEIGHT, "yuv420p", interpolation="LANCZOS")
            small.pts, small.time_base = index, Fraction(1, FPS)
            small.pict_type = 0  # the film's own choice of keyframes is not ours
            out.mux(stream.encode(small))
        out.mux(stream.encode())
    partial.replace(target)


def _film_frames(source, first: int, stop: int):
    """The film's frames `first` to `stop - 1`, found by their timestamps: it has exactly 24 a second from 0 on."""
    stream = source.streams.video[0]
    source.seek(int((first - 2) / FPS / stream.time_base), stream=stream)
    for frame in source.decode(stream):
        index = round(frame.time * FPS)
        if index >= stop:
            return
        if index >= first:
            yield frame


def motion(path: Path, shots: list[tuple[int, int]]) -> list[float]:
    """The motion score per frame of each stretch of a file."""
    scores = (motion_score(frames_to_clip(read_frames(path, range(first, stop)))) for first, stop in shots)
    return [round(float(score), 5) for score in scores]


def describe(path: Path, first: int, stop: int, cuts: tuple[int, ...], seen: str) -> dict:
    """One entry of `clips.json`."""
    edges = [0, *cuts, stop - first]
    scores = motion(path, list(pairwise(edges)))
    return {
        "file": path.name,
        "num_frames": stop - first,
        "fps": FPS,
        "width": WIDTH,
        "height": HEIGHT,
        "film_frame": first,
        "cuts": list(cuts),
        "motion": scores[0] if not cuts else scores,
        "description": seen,
        "bytes": path.stat().st_size,
        "sha256": file_sha256(path),
    }


def write_table(card: Path, entries: dict[str, dict]) -> None:
    """Write the table of shots between its two marks in the dataset card, slowest first."""
    shots = sorted((item for item in entries.items() if not item[1]["cuts"]), key=lambda item: item[1]["motion"])
    lines = [
        "| shot | seconds | film frame | motion a frame | motion a second | what is seen |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{name}` | {row['num_frames'] / FPS:.2f} | {row['film_frame']} | {row['motion']:.4f} "
        f"| {row['motion'] * FPS:.2f} | {row['description']} |"
        for name, row in shots
    ]
    text = card.read_text(encoding="utf-8")
    before, after = text.split(TABLE_MARKS[0])[0], text.split(TABLE_MARKS[1])[1]
    card.write_text(f"{before}{TABLE_MARKS[0]}\n" + "\n".join(lines) + f"\n{TABLE_MARKS[1]}{after}", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crf", type=int, default=25, help="x264's quality, lower is better (default 25)")
    parser.add_argument("--describe-only", action="store_true", help="leave the films as they are")
    arguments = parser.parse_args()

    folder = datasets_dir() / "big_buck_bunny"
    folder.mkdir(exist_ok=True)
    wanted = {name: (first, stop, (), seen) for name, (first, stop, seen) in SHOTS.items()} | EXCERPTS
    entries = {}
    for name, (first, stop, cuts, seen) in wanted.items():
        path, began = folder / f"{name}.mp4", time.perf_counter()
        if not arguments.describe_only:
            cut_out(source_path("big-buck-bunny"), first, stop, path, arguments.crf)
        entries[name] = describe(path, first, stop, cuts, seen)
        print(
            f"{name:14s} {stop - first:4d} frames {path.stat().st_size / 1000:6.0f} kB "
            f"motion {entries[name]['motion']}  {time.perf_counter() - began:.1f} s",
            flush=True,
        )

    document = {"credit": CREDIT, "licence": LICENCE, "source": "big-buck-bunny", "clips": entries}
    (folder / "clips.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    write_table(folder / "README.md", entries)
    print(f"{sum(row['bytes'] for row in entries.values()) / 1e6:.2f} MB in all")


if __name__ == "__main__":
    main()
