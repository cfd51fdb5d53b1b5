"""`--mine` beyond `flipbook show`: training runs, measurements and reconstructions on the learner's parts."""

import contextlib
import json
import shutil

import pytest
from click.testing import CliRunner

from common.course.base import paths
from common.course.commands.animate import animate
from common.course.commands.generate import generate
from common.course.commands.mine import evaluate, play, reconstruct, train
from common.course.learner import swap
from common.course.source import lab_source
from common.play.playable import find
from common.play.session import Session

REAL_ROOT = paths.root()
PICTURE = str(REAL_ROOT / "phases" / "06_dit_flow_matching" / "gallery.png")
# What 03.4, 04.3 and 04.4 study clips with, and batches and packs of 06.5: no command of a learner's runs them.
MEASURING = {
    "motion_scores",
    "MotionBuckets",
    "MicroConditioning",
    "paired_sweep",
    "pareto_front",
    "edge_width",
    "nearest_bucket",
    "bucket_batches",
    "pack",
    "packed_block",
}
PROMPT = "a small red star moves left over a blue field"  # whose states are shipped
SHORT = ["--preset", "ci", "--steps", "2", "--set", "measure_every=1"]
SMALL = ["--num-frames", "5", "--size", "32"]
WIDE = ["--height", "48", "--width", "80"]
INFLATED = ["--weights", "sprites-frame-vae", "--inflate", "2"]
# Lab -> the commands that run its parts, one after the other, where `flipbook show` does not.
OTHER_COMMANDS = {
    "02.1": [(evaluate, ["digits-convlstm"]), (train, ["digits-convlstm", *SHORT])],
    "02.2": [(evaluate, ["film-interpolator"])],
    "02.3": [(train, ["sprites-gan", *SHORT])],
    "02.4": [(train, ["sprites-content-motion", *SHORT, "--stage", stage]) for stage in ("main", "prior")],
    "03.1": [(train, ["sprites-svd", *SHORT])],
    "03.3": [(animate, [PICTURE, "--frames", "3", "--steps", "1"]), (train, ["sprites-svd", *SHORT])],
    "03.4": [(evaluate, ["sprites-dose"])],
    "04.1": [(train, ["sprites-unet-t2v", *SHORT])],
    "04.2": [(train, ["joint-both", *SHORT]), (evaluate, ["joint-both"])],
    "04.3": [(generate, [PROMPT, "--steps", "2", "--image", PICTURE, "--image-guidance", "2", "--rescale", "0.5"])],
    "04.4": [(generate, [PROMPT, "--steps", "2", "--upscale"])],
    "05.2": [(train, ["sprites-vae-minute", *SHORT])],
    "05.3": [(reconstruct, ["3", *SMALL]), (reconstruct, ["3", *SMALL, *INFLATED])],
    "06.1": [(generate, [PROMPT, "--steps", "2"])],
    "06.5": [(generate, [PROMPT, "--steps", "2", *WIDE])],
    "09.1": [(evaluate, ["arcade-catch"]), (train, ["arcade-catch", *SHORT])],
    "09.2": [(play, ["--replay", "session.json"]), (train, ["arcade-rooms", *SHORT])],
    "09.3": [
        (evaluate, ["rooms-latent-actions"]),
        *[(train, ["rooms-latent-actions", *SHORT, "--stage", stage]) for stage in ("past", "main")],
    ],
    "09.4": [
        *[(train, ["catch-dream", *SHORT, "--stage", stage]) for stage in ("main", "settle", "policy")],
        (evaluate, ["catch-dream"]),
    ],
    "09.5": [(train, ["arcade-rooms-fast", *SHORT]), (play, ["arcade-rooms-fast", "--speed"])],
}


@pytest.fixture(scope="module")
def session_log(tmp_path_factory):
    """The log of a short session of `rooms`, as the library's parts played it."""
    session = Session(find("rooms"), seed=4)
    for action in (2, 2, 5, 1):
        session.step(action)
    path = tmp_path_factory.mktemp("session") / "session.json"
    path.write_bytes(session.log.to_bytes())
    return path


def run(command, words, folder):
    """A training run goes to a folder of its stage's name: the next stage looks for it there."""
    stage = words[words.index("--stage") + 1] if "--stage" in words else "main"
    place = {
        train: ["--folder", str(folder / stage)],
        reconstruct: ["--out", str(folder.with_suffix(".png"))],
        generate: ["--out", f"{folder}.png"],
        animate: ["--out", f"{folder}.png"],
    }
    return CliRunner().invoke(command, [*words, *place.get(command, [])])


def counted(original, calls):
    """The part itself, which notes its name when it is called, or built."""
    name = original.__name__
    if isinstance(original, type):

        def build(cls, *args, **kwargs):
            calls.add(name)
            return original.__new__(cls)

        return type(name, (original,), {"__new__": build, "__module__": __name__})

    def call(*args, **kwargs):
        calls.add(name)
        return original(*args, **kwargs)

    return call


@pytest.mark.parametrize("lab_id", OTHER_COMMANDS)
def test_every_part_of_the_lab_is_called(lab_id, tmp_path, request):
    parts, calls = swap.parts([lab_source.find_lab(lab_id)]), set()
    for command, words in OTHER_COMMANDS[lab_id]:
        if command is play and "--replay" in words:
            words = [*words[:-1], str(request.getfixturevalue("session_log"))]
        with contextlib.ExitStack() as swaps:
            for part in parts:
                original = part.find()
                if command is train and hasattr(original, "save_pretrained"):
                    continue  # `--mine` leaves it to the library, since the model is saved
                swaps.enter_context(swap.swapped(part.library, counted(original, calls)))
            ran = run(command, words, tmp_path / "run")
        assert ran.exit_code == 0, ran.output
    assert calls == {part.exercise for part in parts} - MEASURING, "a learner would never see their own"


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A learner's copy of a lab in a course of its own: the reference answers, less what a test replaces."""
    root = tmp_path / "course"
    root.mkdir()
    (root / "datasets").symlink_to(REAL_ROOT / "datasets")

    def write(answers, lab_id="02.3"):
        monkeypatch.setenv("FLIPBOOK_ROOT", str(REAL_ROOT))
        lab = lab_source.find_lab(lab_id)
        for file in (lab.source, lab.tests):
            copy = root / file.relative_to(REAL_ROOT)
            copy.parent.mkdir(parents=True)
            shutil.copy(file, copy)
        reference = json.loads(lab.notebook("solutions").read_text(encoding="utf-8"))
        monkeypatch.setenv("FLIPBOOK_ROOT", str(root))
        lab.notebook("work").parent.mkdir(parents=True)
        for cell in reference["cells"]:
            name = cell["metadata"].get("flipbook", {}).get("exercise")
            cell["source"] = answers.get(name, cell["source"])
        lab.notebook("work").write_text(json.dumps(reference), encoding="utf-8")

    return write


def of_these_ran(output: str) -> list[str]:
    """The learner's parts that a command says have run."""
    lines = output.partition("whose parts ran:\n")[2].splitlines()
    return [line.split()[1] for line in lines if "yours (not checked yet)" in line]


@pytest.mark.parametrize(
    ("lab_id", "name", "count"), [("02.3", "sprites-gan", 5), ("02.4", "sprites-content-motion", 4)]
)
def test_a_training_runs_on_the_learners_parts_and_says_so(lab_id, name, count, work, tmp_path):
    """The fifth part of 02.4 is the prior's, which another stage trains."""
    work({}, lab_id)
    ran = run(train, [name, *SHORT, "--mine"], tmp_path / "run")
    assert ran.exit_code == 0, ran.output
    assert len(of_these_ran(ran.output)) == count
    assert (tmp_path / "run" / "main" / "weights" / "config.json").exists()


def test_a_training_keeps_the_class_of_the_model_that_it_saves(work, tmp_path):
    """Found before the first step, not after the last one."""
    work({}, "02.2")
    ran = run(train, ["film-interpolator", *SHORT[:4], "--mine"], tmp_path / "run")
    assert ran.exit_code == 0, ran.output
    assert "Interpolator    library (a trained model is saved" in ran.output
    assert ran.output.count("yours (not checked yet)") == 4
    assert (tmp_path / "run" / "main" / "weights" / "config.json").exists()


def test_a_part_that_crashes_in_a_training_is_named(work, tmp_path):
    work({"gradient_penalty": "def gradient_penalty(discriminator, real):\n    return 1 // 0\n"})
    ran = run(train, ["sprites-gan", *SHORT, "--mine"], tmp_path / "run")
    assert isinstance(ran.exception, paths.CourseError)
    assert "your `gradient_penalty` (lab 02.3) stopped at line 2 of its cell" in str(ran.exception)


def test_a_card_is_not_written_from_a_learners_parts():
    ran = CliRunner().invoke(evaluate, ["sprites-gan", "--mine", "--update"])
    assert ran.exit_code == 1 and "exclude each other" in ran.output


def test_a_reconstruction_runs_on_the_learners_layers_with_the_shipped_weights(work, tmp_path):
    """Right answers give the library's numbers. A wrong layer is loaded with the same weights, and shows."""
    library = run(reconstruct, ["3", *SMALL], tmp_path / "library")
    assert library.exit_code == 0, library.output
    work({}, "05.3")
    ran = run(reconstruct, ["3", *SMALL, "--mine"], tmp_path / "mine")
    assert ran.exit_code == 0, ran.output
    assert of_these_ran(ran.output) == ["CausalConv3d", "causal_downsample", "encode_stream"]  # nothing was inflated
    assert library.stdout.splitlines()[:-1] == ran.stdout.splitlines()[:-1]  # all but the picture's name


@pytest.mark.parametrize(("answers", "equal"), [
    ({}, True),
    ({"round_straight_through": "def round_straight_through(z):\n    return 0 * z\n"}, False),
])  # fmt: skip
def test_the_shipped_tokenizer_runs_on_the_learners_quantizer(answers, equal, work, tmp_path):
    """The right parts give the library's numbers; with a rounding that gives zeros the same weights draw no clip."""
    words = ["3", *SMALL, "--weights", "sprites-fsq"]
    library = run(reconstruct, words, tmp_path / "library")
    assert library.exit_code == 0, library.output
    work(answers, "05.4")
    ran = run(reconstruct, [*words, "--mine"], tmp_path / "mine")
    assert ran.exit_code == 0, ran.output
    assert of_these_ran(ran.output) == ["round_straight_through", "bound"]
    assert (library.stdout.splitlines()[:-1] == ran.stdout.splitlines()[:-1]) == equal  # all but the picture's name


@pytest.mark.parametrize(("exercise", "broken", "words"), [
    ("causal_downsample", "def causal_downsample(encoder, clip, caches=None, ratio=4):\n    return 1 // 0\n", []),
    ("encode_stream", "def encode_stream(vae, frames):\n    yield 1 // 0\n", []),
    ("inflate_causal", "def inflate_causal(weight, num_frames):\n    return 1 // 0\n", INFLATED),
])  # fmt: skip
def test_a_part_that_crashes_in_a_reconstruction_is_named(exercise, broken, words, work, tmp_path):
    work({exercise: broken}, "05.3")
    ran = run(reconstruct, ["3", *SMALL, *words, "--mine"], tmp_path / "mine")
    assert isinstance(ran.exception, paths.CourseError)
    assert f"your `{exercise}` (lab 05.3) stopped at line 2 of its cell" in str(ran.exception)


def test_what_is_no_part_of_the_learners_is_said_as_without_them(work, tmp_path):
    work({}, "05.3")
    unknown = run(reconstruct, ["nothing", "--mine"], tmp_path / "mine")
    assert isinstance(unknown.exception, paths.CourseError) and "no bundled clip" in str(unknown.exception)
    assert "1 + 4k" in run(reconstruct, ["3", "--num-frames", "6", "--mine"], tmp_path / "mine").output
    inflated = run(reconstruct, ["3", *SMALL, "--inflate", "3"], tmp_path / "mine")
    assert inflated.exit_code == 1 and "causal and 3D already" in inflated.output


def test_a_video_is_made_by_the_learners_transformer_and_says_so(work, tmp_path):
    """The reference answers give the library's picture, byte for byte; without positions in time it is another."""
    pictures = []
    for name, answers in (("library", None), ("mine", {}), ("timeless", {"rotations": TIMELESS})):
        if answers is not None:
            shutil.rmtree(tmp_path / "course", ignore_errors=True)
            (tmp_path / "course").mkdir()
            work(answers, "06.1")
        ran = run(generate, [PROMPT, "--steps", "2", *(["--mine"] if answers is not None else [])], tmp_path / name)
        assert ran.exit_code == 0, ran.output
        assert ran.output.count("yours (not checked yet)") == (6 if answers is not None else 0)
        pictures.append((tmp_path / f"{name}.png").read_bytes())
    assert pictures[0] == pictures[1] != pictures[2]


TIMELESS = """
def rotations(size, head_dim, frame_offset=0, theta=100.0, device=None):
    T, H, W = size
    still = torch.ones(T * H * W, axis_dims(head_dim)[0] // 2)
    angles = [still * 0]
    for places, dim in zip(torch.meshgrid(torch.arange(H), torch.arange(W), indexing="ij"), axis_dims(head_dim)[1:]):
        speeds = theta ** (-torch.arange(0, dim, 2) / dim)
        angles.append((places.flatten()[:, None] * speeds).repeat(T, 1))
    return torch.exp(1j * torch.cat(angles, dim=1)).to(torch.complex64)
"""


def test_a_part_that_refuses_its_input_is_named_not_only_the_command(work, tmp_path):
    work({"patchify": "def patchify(clip, patch_size):\n    raise ValueError('no patches today')\n"}, "06.1")
    ran = run(generate, [PROMPT, "--steps", "2", "--mine"], tmp_path / "clip")
    assert isinstance(ran.exception, paths.CourseError)
    assert "your `patchify` (lab 06.1) refused at line 2 of its cell" in str(ran.exception)


def test_a_bad_option_is_not_blamed_on_the_learners_parts(work, tmp_path):
    work({}, "06.1")
    ran = run(generate, [PROMPT, "--guidance", "300", "--mine"], tmp_path / "clip")
    assert (
        ran.exit_code == 1
        and "--guidance is from 0 to 100, got 300" in ran.output
        and "flipbook check" not in ran.output
    )


UNFINISHED = "def sample_next(model, past, actions, num_steps=2, **options):\n    return past[:, :, 0] / 0 * (1 // 0)\n"
FADING = "def corrupt_context(frames, level, eps):\n    return (1 - level[0]) * frames\n"


def test_a_session_is_played_again_on_the_learners_parts(work, session_log, tmp_path):
    """The reference answers give every frame again, to the bit. With another corruption they differ."""
    work({}, "09.2")
    ran = run(play, ["--replay", str(session_log), "--mine"], tmp_path / "run")
    assert ran.exit_code == 0, ran.output
    assert of_these_ran(ran.output) == ["corrupt_context", "sample_next", "rule_agreement", "WorldSession"]
    assert "5 frames, each the same to the bit" in ran.output and "follow the rules: player" in ran.output


@pytest.mark.parametrize(("exercise", "broken", "words"), [
    ("sample_next", UNFINISHED, "your `sample_next` (lab 09.2) stopped at line 2 of its cell"),
    ("corrupt_context", FADING, "4 of 5 frames differ"),
    ("rule_agreement", "def rule_agreement(readings, actions):\n    return 1 // 0\n", "your `rule_agreement`"),
])  # fmt: skip
def test_a_wrong_part_shows_when_it_plays(exercise, broken, words, work, session_log, tmp_path):
    work({exercise: broken}, "09.2")
    ran = run(play, ["--replay", str(session_log), "--mine"], tmp_path / "run")
    assert ran.exit_code != 0 and words in str(ran.exception) + ran.output


def test_the_players_page_is_told_whose_part_stopped(work, monkeypatch):
    """The server runs the parts on threads of its own: it is given the words for a crash."""
    work({"sample_next": UNFINISHED}, "09.2")
    said = []

    async def serve(playable, ready, ended, *, explain, **options):
        try:
            Session(playable, seed=4).step(2)
        except ZeroDivisionError as error:
            said.append(explain(error))

    monkeypatch.setattr("common.play.server.serve", serve)
    ran = CliRunner().invoke(play, ["rooms", "--mine", "--no-browser"])
    assert ran.exit_code == 0, ran.output
    assert "your `sample_next` (lab 09.2) stopped at line 2" in said[0]
