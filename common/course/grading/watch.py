"""Inside a worker: report the first step of a cell that climbs the stack, walks the heap, traces, or uses raw memory.

No answer needs such a step, and no verdict is worth anything after it. The report is sent before the step succeeds,
and an audit hook cannot be taken out. The hook holds everything that it uses itself.
"""

import sys
import threading

LOOKING = frozenset(
    ["sys._current_frames", "sys._current_exceptions", "gc.get_objects", "gc.get_referrers", "gc.get_referents",
     "sys.settrace", "sys.setprofile", "sys.addaudithook"]
)  # fmt: skip
PROCESSES = frozenset(["os.fork", "os.forkpty", "os.exec", "os.system", "os.posix_spawn", "os.kill",
                       "subprocess.Popen"])  # fmt: skip
NETWORK = frozenset(["socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.bind"])
FRAMES = frozenset(["tb_frame", "gi_frame", "cr_frame", "ag_frame"])
CODE = frozenset(["exec", "compile"])
WATCHED = frozenset([*LOOKING, *PROCESSES, *NETWORK, *CODE, "sys._getframe", "object.__getattr__",
                     "object.__setattr__", "object.__delattr__", "open"])  # fmt: skip
# Library files whose functions only hand such a step on for their caller. (`traceback` only prints: that is honest.)
TRANSPARENT = ("/inspect.py", "/subprocess.py", "/os.py", "/socket.py", "/ctypes/__init__.py", "/threading.py",
               "/functools.py", "/pathlib.py", "/io.py", "/codecs.py", "/tokenize.py", "/timeit.py")  # fmt: skip
HANDING_ON = frozenset(["walk_tb", "walk_stack"])


def keep_watch(lab_id: str, tell, sealed: frozenset[int]) -> None:
    """Tell the parent, once each, of steps that honest answers never take, when a cell of the notebook takes them.

    `sealed` are the identities of functions that no one may change.
    """
    told: set[str] = set()
    busy: set[int] = set()
    main, mark = threading.get_ident(), f"<{lab_id} "

    def hook(
        event, arguments, frame_of=sys._getframe, starts=str.startswith, identity=id, text=str,
        thread_of=threading.get_ident, watched=WATCHED, looking=LOOKING,
    ):  # fmt: skip
        if not (event in watched or starts(event, "ctypes.")):
            return
        thread = thread_of()
        if thread in busy:
            return
        busy.add(thread)  # looking at frames is an event of its own
        try:
            if event in ("object.__setattr__", "object.__delattr__"):
                kind, words = "tampered", f"changed `{text(arguments[1])}` of a function of the tests"
                guilty = identity(arguments[0]) in sealed
            else:
                kind, words = meaning(event, arguments)
                guilty = words and words not in told
                if guilty and event in looking:  # whoever hands the step on for a cell
                    guilty = thread != main or anywhere(frame_of(1))
                elif guilty:
                    guilty = from_cell(frame_of(1))
            if guilty:
                told.add(words)
                tell(kind, words)
        finally:
            busy.discard(thread)

    def meaning(
        event, arguments, starts=str.startswith, text=str, looking=LOOKING, frames=FRAMES, processes=PROCESSES,
        network=NETWORK, code=CODE,
    ):  # fmt: skip
        """What a step is: `tampered` (no verdict counts after it) or `suspect` (worth a look), and words for it."""
        if event in looking or event == "sys._getframe":
            return "tampered", f"called `{event}`, with which tests can be forged"
        if event == "object.__getattr__":
            name = arguments[1]
            return "tampered", f"read `{name}`, with which tests can be forged" if name in frames else ""
        if event in processes:
            return "suspect", f"called `{event}` (another process)"
        if event in network:
            return "suspect", "tried to use the network"
        if event in code:
            return "suspect", "made code of a text, and ran it"
        if event == "open":
            place = text(arguments[0])
            if "/tests/labs/" in place:
                return "suspect", "opened the tests"
            return "suspect", "opened a file of /proc" if starts(place, "/proc") else ""
        return "tampered", "used `ctypes`, with which tests can be forged"

    def from_cell(frame, starts=str.startswith, ends=str.endswith, transparent=TRANSPARENT, handing_on=HANDING_ON):
        """Whether a notebook's cell took this step itself, or through a library function that only hands it on."""
        while frame is not None and (ends(frame.f_code.co_filename, transparent) or frame.f_code.co_name in handing_on):
            frame = frame.f_back
        return frame is not None and starts(frame.f_code.co_filename, mark)

    def anywhere(frame, starts=str.startswith):
        while frame is not None:
            if starts(frame.f_code.co_filename, mark):
                return True
            frame = frame.f_back
        return False

    sys.addaudithook(hook)
