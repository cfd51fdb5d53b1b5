"""What runs inside the sandbox: one submission's tests, each start and end told to the parent in a signed event.

    python -I -S -c "import sys; sys.path += [...]; from common.course.grading.worker import main; main()"

Standard input carries the job (JSON, after 32 bytes of key); the descriptor named in it takes the events. The parent
decides everything that matters: which tests there are, how long they may take, what an absent answer means.
"""

import gc

gc.disable()  # most of what importing torch allocates stays: collecting it again and again takes a quarter of the time

import json  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

from common.course.grading.protocol import CONTROL, make_teller  # noqa: E402

KEY_LENGTH = 32
MAX_FILE = 64 << 20  # bytes of one file that student code may write
MAX_OPEN = 256  # files at a time
MAX_MESSAGE = 4000
MAX_PICTURES, MAX_PICTURE = 2, 400_000  # how many of one test, base64 characters of each


def main() -> None:
    """Do one job and end without the interpreter's clean-up, which runs code that students may have left behind."""
    secret = bytearray(KEY_LENGTH)
    os.readv(0, [secret])
    job = json.loads(_rest_of(0))
    silence = os.open(os.devnull, os.O_RDWR)
    os.dup2(silence, 0)
    tell = make_teller(job["events"], secret)
    os.environ["FLIPBOOK_ROOT"] = job["root"]
    if job["torch"]:
        import torch  # noqa: F401  the limits come after it: it maps a lot

    from common.course.base import paths
    from common.course.checking import runner

    tell("ready")
    lab = paths.Lab(job["phase"], job["stem"])
    if job["submission"] is None:
        _collect(lab, tell)
    else:
        _limit(job["memory"], job["cpu"], job["processes"])
        listener = _listener(lab, tell)
        proof = _proof(lab, tell)
        runner.run_tests(
            lab,
            submission=job["submission"],
            listener=listener,
            proof=proof,
            deselect=frozenset(job["done"]),
            timeout=job["timeout"],
            seed=job["seed"],
        )
        tell("done")
    os._exit(0)


def _rest_of(descriptor: int) -> bytes:
    parts = []
    while part := os.read(descriptor, 1 << 16):
        parts.append(part)
    return b"".join(parts)


def _limit(memory: int, cpu: int, processes: int | None) -> None:
    """Limits that hold for the rest of the process. Memory is counted from here: torch has mapped its own already."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: MAX_FILE,
        resource.RLIMIT_CPU: cpu,
        resource.RLIMIT_NOFILE: MAX_OPEN,
        resource.RLIMIT_DATA: memory,
    }
    if processes:
        limits[resource.RLIMIT_NPROC] = processes
    if sys.platform == "linux":
        # Shared mappings are no data, so the address space is limited too, with room for what is only reserved.
        mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        limits[resource.RLIMIT_AS] = mapped + 2 * memory
        Path("/proc/self/oom_score_adj").write_text("1000")  # if the machine runs out, this process goes first
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (value, value))


def _collect(lab, tell) -> None:
    """Tell the lab's tests, with no student code around."""
    from common.course.checking import runner

    for result in runner.expected_tests(lab):
        tell(
            "test",
            result.test,
            result.title,
            result.exercise,
            repr(result.points),
            "\n".join(result.needs),
            result.hint,
        )
    tell("done")


def _listener(lab, tell):
    """What `run_tests` calls at each test's start and end, and around loading the notebook."""
    from common.course.base.results import Result
    from common.course.checking import loader
    from common.course.grading import oracles, returns
    from common.course.grading.seal import seal
    from common.course.grading.watch import keep_watch
    from common.course.source import lab_source

    broken, guarded, notebook, given = None, frozenset(), {}, set()
    genuine_load = loader.load
    names = [exercise.name for exercise in lab_source.exercises(lab)]

    def load(path, lab_id, space_of=vars):
        nonlocal notebook
        tell("load")
        try:
            module = genuine_load(path, lab_id)
            returns.guard(module, names, given)
            notebook = space_of(module)
            return module
        finally:
            tell("loaded")

    def listen(kind, result, identity=id):
        nonlocal broken, guarded
        if broken is None:  # the first start: the tests are collected, and no student code has run
            gc.freeze()
            gc.enable()
            file = str(lab.tests)
            [grader] = [m for m in list(sys.modules.values()) if getattr(m, "__file__", None) == file]
            guarded = oracles.close(grader, lab.id, tell, given)
            broken = seal(grader)
            keep_watch(lab.id, tell, broken.functions)
        if kind == "start":
            tell("start", result.test)
            return
        name = broken() if result.status == "pass" or result.exercise == CONTROL else ""
        if name:
            tell("tampered", f"changed `{name}`, which tests rely on")
        for value in [*notebook.values()]:
            if identity(value) in guarded:
                tell("tampered", f"took `{value.__name__}`, a function of the tests")
        if type(result) is Result and type(result.status) is str and type(result.message) is str:
            pictures = [pair for pair in result.pictures if len(pair[1]) <= MAX_PICTURE][:MAX_PICTURES]
            tell("end", result.test, result.status, result.message[:MAX_MESSAGE], pictures)

    loader.load = load
    return listen


def _proof(lab, tell):
    """What `run_tests` calls after a pass: the same test once more, with answers that only raise.

    A test that passes then, too, is not whole. Whatever else the notebook has done is still in place.
    """
    from common.course.source import lab_source

    names = [exercise.name for exercise in lab_source.exercises(lab)]

    def unanswered(*args, **kwargs):
        raise RuntimeError("this stands for an answer that does nothing")

    def prove(item, module, space_of=vars):
        space = space_of(module)
        kept = {name: space[name] for name in names if name in space}
        try:
            for name in kept:
                space[name] = unanswered
            item.runtest()
        except BaseException:
            return
        finally:
            space.update(kept)
        tell("tampered", f"passes `{item.name}` without an answer: it changed what this test rests on")

    return prove


if __name__ == "__main__":
    main()
