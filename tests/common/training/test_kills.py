"""Killed at any moment and started again, a run ends in the same weights, bit for bit."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from common.training import TrainingError, load_recipe, read_log
from common.training import checkpoint as checkpoints

ROOT = Path(__file__).parents[3]
# Moment -> what the kill leaves in `checkpoints`: steps of finished ones, and whether one is half written.
LEFT = {
    "in_a_step_before_any_checkpoint": ([], False),
    "in_a_step": ([4], False),
    "in_the_middle_of_a_checkpoint": ([4], True),
    "in_the_middle_of_the_first_checkpoint": ([], True),
    "before_a_checkpoint_has_its_name": ([4], True),
    "after_a_checkpoint_has_its_name": ([4, 8, 12], False),
    "in_the_middle_of_a_line_of_the_log": ([4], False),
    "before_the_weights_are_written": ([12, 14], False),
    "before_the_weights_have_their_name": ([12, 14], False),
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory, python, elsewhere) -> dict[str, dict]:
    """What became of each run that was killed, and of one that was not."""
    folder = tmp_path_factory.mktemp("kills")
    command = [*python, "-m", "tests.common.training.kills", str(folder), "never", *LEFT]
    output = subprocess.run(command, cwd=ROOT, env=elsewhere, capture_output=True, text=True, timeout=300)
    assert output.returncode == 0, output.stderr
    return {row["moment"]: row for row in map(json.loads, output.stdout.splitlines())}


@pytest.mark.parametrize("moment", LEFT)
def test_a_killed_training_ends_in_the_same_weights(killed, moment):
    row, steps = killed[moment], LEFT[moment][0]
    assert row["ends"] == [-signal.SIGKILL, 0]
    finished = [name for name in row["left"] if name.startswith("checkpoints/") and name.endswith(".safetensors")]
    assert finished == [f"checkpoints/step_{step:08d}.safetensors" for step in steps]
    assert any(name.endswith(".partial") for name in row["left"]) == LEFT[moment][1]
    assert killed["never"]["ends"] == [0, 0]
    assert row["digest"] == killed["never"]["digest"]  # weights, optimiser and all, and the log


def test_the_command_killed_from_outside_while_it_writes(run, tmp_path, recipe_file, python, elsewhere):
    """`flipbook train` itself, with a model large enough to be caught while a checkpoint goes to the disk."""
    text = (
        recipe_file.read_text()
        .replace("width: int = 8", "width: int = 6000")
        .replace("steps=14", "steps=3")
        .replace("batch_size=8", "batch_size=1")
    )
    (tmp_path / "wide.py").write_text(text)

    command = [*python, "-m", "common.course", "train", str(tmp_path / "wide.py"), "--preset", "ci",
               "--folder", str(tmp_path / "killed"), "--set", "checkpoint_every=1"]  # fmt: skip
    process = subprocess.Popen(command, env=elsewhere, stderr=subprocess.PIPE)
    second = tmp_path / "killed" / "checkpoints" / "step_00000002.partial"
    while not (second.exists() and second.stat().st_size) and process.poll() is None:
        time.sleep(0.0005)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.stderr.read().decode()
    steps = [path.name for path in checkpoints.files(tmp_path / "killed" / "checkpoints")]
    assert steps[0] == "step_00000001.safetensors"
    for folder in ("killed", "whole"):
        run(tmp_path / folder, load_recipe(tmp_path / "wide.py"), checkpoint_every=1)
    assert not list((tmp_path / "killed" / "checkpoints").glob("*.partial"))
    name = Path("weights", "diffusion_pytorch_model.safetensors")
    assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_a_damaged_checkpoint_is_passed_over(run, tmp_path, capsys):
    """One byte changed in the newest: the one before it is taken, and the end is the same."""
    run(tmp_path / "whole"), run(tmp_path / "damaged")
    newest = checkpoints.files(tmp_path / "damaged" / "checkpoints")[-1]
    damage(newest)
    lines = run(tmp_path / "damaged")
    said = capsys.readouterr().err
    assert "step_00000014.safetensors is not what was written" in said and "Going on after step 12 of 14" in said
    times = {"seconds": 0, "cpu_seconds": 0}
    assert [line | times for line in lines] == [line | times for line in read_log(tmp_path / "whole")]
    weights = [(tmp_path / name / "weights" / "diffusion_pytorch_model.safetensors") for name in ("whole", "damaged")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-9] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("harm", [damage, lambda path: os.truncate(path, 700), lambda path: path.write_bytes(b"")])
def test_when_no_checkpoint_is_whole_it_says_so_and_leaves_them(run, tmp_path, harm):
    run(tmp_path, steps=8)
    found = checkpoints.files(tmp_path / "checkpoints")
    for path in found:
        harm(path)
    with pytest.raises(TrainingError, match="None of the 2 checkpoints"):
        run(tmp_path, steps=8)
    assert checkpoints.files(tmp_path / "checkpoints") == found


FULL_DISK = """
import json, sys
from pathlib import Path
from common.training import TrainingError, checkpoint, load_recipe, train

recipe, disk, cases = load_recipe(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
look = checkpoint.demand_room
for ballast, looks_first in cases:
    # Without the look it is as if the room had gone between the look and the writing.
    checkpoint.demand_room = look if looks_first else lambda folder, needed: None
    (disk / "ballast").write_bytes(bytes(ballast))
    folder = disk / f"{ballast}"
    try:
        train(recipe, "ci", folder=folder, quiet=True)
        said = "nothing"
    except TrainingError as error:
        said = str(error)
    good = [checkpoint.load(path).step for path in checkpoint.files(folder / "checkpoints")]
    left = [path.name for path in folder.rglob("*.partial")]
    (disk / "ballast").unlink()
    weights = train(recipe, "ci", folder=folder, quiet=True) / "diffusion_pytorch_model.safetensors"
    print(json.dumps([said, good, left, weights.read_bytes().hex()]))
    for path in folder.rglob("*.*"):
        path.unlink()
"""
# Bytes already on a disk of 400 kB, whether there is a look at the room first, what it says, what is kept.
CASES = [
    (395_000, True, "The disk is full", []),  # not even room for the log
    (340_000, False, "checkpoint of step 12 does not fit", [4, 8]),  # the write itself fails
    (250_000, True, "checkpoint of step 14 does not fit", [8, 12]),  # seen to fail before it is tried
]


def test_a_full_disk(run, tmp_path, require_bubblewrap, python, elsewhere, recipe_file):
    """A file system that is nearly full: it says so, keeps what was good, and goes on once there is room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    output = subprocess.run(
        [require_bubblewrap, "--dev-bind", "/", "/", "--size", "400000", "--tmpfs", str(disk), *python, "-c", FULL_DISK,
         str(recipe_file), str(disk), json.dumps([case[:2] for case in CASES])],
        env=elsewhere, capture_output=True, text=True,
    )  # fmt: skip
    assert output.returncode == 0, output.stderr
    run(tmp_path / "roomy")
    roomy = (tmp_path / "roomy" / "weights" / "diffusion_pytorch_model.safetensors").read_bytes().hex()
    for (*_, words, good), line in zip(CASES, output.stdout.splitlines(), strict=True):
        said, steps, left, weights = json.loads(line)
        assert "The disk is full" in said and words in said and "give the same command again" in said
        assert steps == good and left == [] and weights == roomy
