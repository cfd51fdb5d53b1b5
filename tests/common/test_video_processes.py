"""An open reader in other processes: the workers of a DataLoader, however they are started, and the child of a fork."""

import gc
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from common.data import clip_path
from common.video import VideoError, VideoReader

XVID = Path(__file__).parent / "video_cases" / "xvid_g12_b2.avi"
needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


class Frames(Dataset):
    """Every frame of a file, out of one reader that is opened, and used, before any worker starts."""

    def __init__(self, path):
        self.reader = VideoReader(path)
        self.reader.read([3])

    def __len__(self):
        return 12

    def __getitem__(self, number):
        return torch.from_numpy(self.reader.read([2 * number])[0])


@pytest.mark.parametrize("method, path", [
    pytest.param("fork", clip_path("leap"), marks=needs_fork), pytest.param("fork", XVID, marks=needs_fork),
])  # fmt: skip
def test_workers_read_what_the_parent_reads(method, path):
    frames = Frames(path)
    wanted = [frames[number] for number in range(12)]
    loader = DataLoader(frames, batch_size=3, num_workers=2, multiprocessing_context=method, timeout=60)
    for _ in range(2):
        assert torch.equal(torch.cat(list(loader)), torch.stack(wanted))
    assert torch.equal(frames[5], wanted[5]), "the parent's own reader has suffered"


SPAWNED = """
import sys
import torch
from torch.utils.data import DataLoader, Dataset
from common.video import VideoReader

class Frames(Dataset):
    def __init__(self, path):
        self.reader = VideoReader(path)
        self.reader.read([3])
    def __len__(self):
        return 12
    def __getitem__(self, number):
        return torch.from_numpy(self.reader.read([2 * number])[0])

if __name__ == "__main__":
    frames = Frames(sys.argv[1])
    wanted = torch.stack([frames[number] for number in range(12)])
    loader = DataLoader(frames, batch_size=3, num_workers=2, multiprocessing_context="spawn", timeout=60)
    assert torch.equal(torch.cat(list(loader)), wanted)
    print("the same")
"""


def test_spawned_workers_read_what_the_parent_reads(tmp_path):
    """A program of its own: a spawned worker imports the program that it was started from."""
    (tmp_path / "program.py").write_text(SPAWNED)
    ran = subprocess.run([sys.executable, tmp_path / "program.py", clip_path("leap")], capture_output=True, text=True)
    assert ran.stdout == "the same\n", ran.stderr


def in_a_child(work) -> None:
    """Runs `work` in a forked child, and fails unless it ends well within 20 s."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        except BaseException:
            os._exit(1)
    for _ in range(200):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.1)
    os.kill(child, 9)
    os.waitpid(child, 0)
    pytest.fail("the child hangs")


@needs_fork
def test_a_fork_in_the_middle_of_a_stream():
    """Parent and child both go on where they are; the child may close and drop what it has from its parent."""
    with VideoReader(clip_path("leap")) as reader:
        reference = reader.read(range(len(reader)))
        pieces = reader.stream(chunk=7)
        first = [next(pieces), next(pieces)]

        def work():
            assert np.array_equal(np.concatenate([*first, *pieces]), reference)
            assert np.array_equal(reader.read([9, 2]), reference[[9, 2]])
            reader.close()

        in_a_child(work)
        assert np.array_equal(np.concatenate([*first, *pieces]), reference)
        assert np.array_equal(reader.read([9, 2]), reference[[9, 2]])


@needs_fork
def test_a_child_that_drops_readers_does_not_wait_for_threads():
    readers = [VideoReader(clip_path("leap")) for _ in range(2)]
    assert [len(reader.read([20])) for reader in readers] == [1, 1]
    readers[0].close()
    gc.collect()  # what other tests left behind is not the child's to free
    in_a_child(lambda: (readers.clear(), gc.collect()))
    readers[1].close()


@needs_fork
def test_a_child_ends_with_the_interpreter():
    """Python frees what is left at its end: what came from the parent is not among it."""
    script = (
        "import os, sys\n"
        "from common.video import VideoReader\n"
        "reader = VideoReader(sys.argv[1])\n"
        "before = reader.read([20]).tobytes()\n"
        "child = os.fork()\n"
        "if child:\n"
        "    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "sys.exit(0 if reader.read([20]).tobytes() == before else 3)\n"
    )
    subprocess.run([sys.executable, "-c", script, clip_path("leap")], check=True, timeout=60)


@needs_fork
def test_grandchildren_read_too():
    with VideoReader(clip_path("leap")) as reader:
        wanted = reader.read([20])

        def reads():
            assert np.array_equal(reader.read([20]), wanted)

        def forks_again():
            reads()
            in_a_child(reads)

        in_a_child(forks_again)


def test_a_pickle_is_a_path(tmp_path, monkeypatch):
    (tmp_path / "a.mp4").write_bytes(Path(clip_path("leap")).read_bytes())
    monkeypatch.chdir(tmp_path)
    with VideoReader("a.mp4") as reader:
        content = pickle.dumps(reader)
        wanted = reader.read([4])
    assert len(content) < 500
    monkeypatch.chdir("/")
    with pickle.loads(content) as other:
        assert np.array_equal(other.read([4]), wanted)
    with pytest.raises(VideoError, match="closed"):
        pickle.dumps(reader)
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(VideoError, match=r"a\.mp4 does not exist"):
        pickle.loads(content)
