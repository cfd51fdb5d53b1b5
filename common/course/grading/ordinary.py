"""What labs and honest answers are written with. Whatever is not listed here is worth a note (`suspects`).

The lists name what is ordinary, not what is dangerous: a new trick needs a module, a name or a special method that no
lab needs, and is found without being known. `REACHES` only finds better words for the best known ones.
"""

import functools
import importlib.machinery
import re
import sys
from pathlib import Path


def words(*lines: str) -> frozenset[str]:
    """The words of some lines."""
    return frozenset(" ".join(lines).split())


WHOLE = words(  # modules with everything inside
    "__future__ abc array bisect calendar cmath collections colorsys concurrent contextlib copy csv dataclasses",
    "datetime decimal difflib enum fractions functools glob heapq io itertools json logging math numbers operator",
    "pathlib platform pprint queue random re secrets shutil statistics struct tempfile textwrap time timeit",
    "traceback typing typing_extensions unicodedata uuid warnings zlib",
    "accelerate av common cv2 decord diffusers einops imageio ipywidgets jaxtyping lpips matplotlib pandas PIL",
    "safetensors scipy seaborn skimage sklearn torchcodec torchvision tqdm transformers",
)
PARTS = words(  # of packages that hold more than answers need: these, and what is inside them
    "numpy.random numpy.linalg numpy.fft numpy.typing numpy.testing numpy.polynomial numpy.ma numpy.exceptions",
    "numpy.dtypes numpy.strings numpy.char numpy.version torch.nn torch.optim torch.fft torch.linalg torch.special",
    "torch.signal torch.profiler torch.jit torch.distributions torch.utils.data torch.utils.checkpoint torch.amp",
    "torch.cuda torch.testing torch.autograd torch.types torch.version torch.backends torch.random torch.func",
    "torch.sparse torch.mps torch.compiler IPython.display os.path",
)
NOT = words("logging.config logging.handlers concurrent.futures.process matplotlib.testing")
ALONE = words("numpy torch torch.utils numpy.lib numpy.lib.stride_tricks IPython os sys string common.course")
# What of a module that holds more than answers need.
NAMES = {
    "os": words(
        "path environ getenv listdir scandir walk makedirs mkdir getcwd chdir cpu_count sep linesep fspath stat",
        "remove rename name PathLike sched_getaffinity process_cpu_count",
    ),
    "sys": words(
        "version version_info platform maxsize byteorder executable float_info getsizeof stdout stderr argv",
        "getrecursionlimit exit",
    ),
    "string": words("ascii_letters ascii_lowercase ascii_uppercase digits hexdigits punctuation whitespace capwords"),
    "common.course": words("check"),
    "numpy.lib": words("stride_tricks"),
    "numpy.lib.stride_tricks": words("sliding_window_view"),
    "IPython": words("display"),
}
# A library's own import of these modules is a side door.
SIDE_DOORS = (sys.stdlib_module_names - WHOLE - {"select", "stat", "trace", "test", "code", "signal", "profile"}) | {
    "os",
    "sys",
}
SIDE_DOORS |= words("torch np numpy math operator statistics")

CLOSE = "abs add sub mul matmul truediv floordiv mod pow neg pos lt le gt ge eq ne contains len getitem iter next call"
READABLE = frozenset(f"__{name}__" for name in f"{CLOSE} init name doc class version post_init file".split())
SPECIAL = words(  # methods that a class of one's own may define
    "__init__ __post_init__ __call__ __len__ __getitem__ __iter__ __next__ __repr__ __str__ __enter__ __exit__"
)
ASSIGNED = words("__all__ __version__ __author__ __slots__")
NAMED_TUPLE = words("_replace _asdict _fields _make")
BUILTINS = words("exec eval compile __import__ globals locals vars breakpoint memoryview")
# Classes that one's own may build on, beside those of torch's modules and the library's.
BASES = words("object Exception ValueError TypeError RuntimeError KeyError IndexError LookupError")
FROM_BUILDERS = ("torch.nn", "torch.optim", "torch.utils.data", "torch.distributions", "torch.autograd", "typing",
                 "enum", "abc", "diffusers", "common", "accelerate", "transformers", "torchvision",
                 "concurrent.futures", "contextlib", "typing_extensions")  # fmt: skip
NO_BASES = words("torch.nn.Parameter torch.nn.parameter.Parameter enum.IntEnum enum.StrEnum enum.IntFlag abc.ABCMeta")

REACHES = {
    "stack frames": "_getframe currentframe f_back f_locals f_globals f_builtins f_code tb_frame gi_frame cr_frame "
    "ag_frame gi_code cr_code walk_stack walk_tb exc_info findCaller _current_frames",
    "tracing": "settrace setprofile addaudithook",
    "the heap": "get_objects get_referrers get_referents gc",
    "closures": "cell_contents",
    "raw memory": "ctypes from_address as_ctypes memmap",
    "the test runner": "_pytest pluggy pytest unittest",
    "the end of the process": "_exit atexit",
    "other processes": "fork subprocess multiprocessing",
    "names that are texts": "attrgetter methodcaller getattr_static import_module importlib builtins inspect "
    "get_type_hints ForwardRef read_pickle Formatter get_field vformat switch_backend obj",
    "hooks": "register_hook register_forward_hook register_forward_pre_hook register_full_backward_hook "
    "register_full_backward_pre_hook register_module_forward_hook register_module_forward_pre_hook "
    "register_module_full_backward_hook register_multi_grad_hook register_post_accumulate_grad_hook "
    "saved_tensors_hooks seterrcall register",
    "the machinery of torch": "TorchFunctionMode TorchDispatchMode custom_op set_default_device "
    "set_default_tensor_type DispatchKey",
    "code behind functions": "FunctionType CodeType MethodType ModuleType update_wrapper make_dataclass new_class "
    "total_ordering",
    "what the tests wrote down": "does looks",
}
IMPORTED = {"the network": "socket urllib requests http aiohttp httpx ftplib smtplib ssl asyncio",
            "another thread": "threading _thread",
            "texts that are run": "eval exec dictConfig fileConfig",
            "raw memory": "LowLevelCallable from_file UntypedStorage TypedStorage",
            "the machinery of torch": "ops classes overrides library hub"}  # fmt: skip
MEANING = {word: meaning for meaning, listed in REACHES.items() for word in listed.split()}
# Said of these only where they are imported, or reached through an import.
IMPORT_MEANING = MEANING | {word: meaning for meaning, listed in IMPORTED.items() for word in listed.split()}
PLACES = ("common.course.", "FLIPBOOK_", "solutions/", "tests/labs", "/proc/")
DUNDER = re.compile(r"__\w+__")
LONGEST = 500  # characters of a text that may be a path or a name; a longer one is prose


def is_ordinary(module: str) -> bool:
    """Whether a lab may need this module, by its full name."""
    top, *inner = module.split(".")
    if any(name.startswith("_") for name in inner) or module.startswith("common.course.") or module in NOT:
        return False
    return top in WHOLE or module in ALONE or any(f"{module}.".startswith(f"{part}.") for part in PARTS)


@functools.cache
def is_module(path: str) -> bool:
    """Whether a dotted name is a module, by the files that are installed; nothing is imported for it."""
    top, *inner = path.split(".")
    if not inner:
        return True
    if path == "os.path":
        return True
    folders = _folders(top)
    return any(_holds(Path(folder, *inner[:-1]), inner[-1]) for folder in folders)


@functools.cache
def _folders(package: str) -> tuple[str, ...]:
    spec = importlib.machinery.PathFinder.find_spec(package)
    return tuple(spec.submodule_search_locations or ()) if spec else ()


def _holds(folder: Path, name: str) -> bool:
    return (folder / name).is_dir() or (folder / f"{name}.py").is_file() or any(folder.glob(f"{name}.*.so"))


def imported(module: str) -> str:
    """Words for an import, or an empty text."""
    if is_ordinary(module):
        return ""
    word = next((part for part in module.split(".") if part in IMPORT_MEANING), "")
    return reaching(word) if word else f"imports `{module}`, which no lab needs"


def reached(base: str, name: str) -> str:
    """Words for `base.name`, where `base` was imported; an empty text for what is ordinary."""
    path = f"{base}.{name}"
    if base.startswith("common.course.") or (base in NAMES and name not in NAMES[base]):
        return f"imports `{path}`" if base == "common.course" else used(name, path)
    if name in MEANING or (name in IMPORT_MEANING and is_module(base)):
        return reaching(name)
    if DUNDER.fullmatch(name):
        return "" if name in READABLE else f"reads `{name}`"
    if name.startswith("_") and name not in NAMED_TUPLE:
        return f"reads the private `{path}`"
    if base.startswith("time."):  # a test's clock is there
        return f"reads `{name}` of `{base}`"
    if name in SIDE_DOORS and base not in NAMES and not is_module(path):
        return f"reaches `{name}` through `{base}`"
    if is_module(path) and not is_ordinary(path) and not is_hidden(path):
        return f"uses `{path}`, which no lab needs"
    return ""


def is_hidden(path: str) -> bool:
    """Whether a module of this name is hidden by a function or class of the same name, as `glob.glob` is."""
    inside, _, name = path.rpartition(".")
    return inside.rpartition(".")[2] == name or path in ("tqdm.tqdm", "common.course.check")


def reaching(name: str) -> str:
    return f"reaches for {IMPORT_MEANING[name]} (`{name}`)"


def used(name: str, path: str) -> str:
    return reaching(name) if name in MEANING else f"uses `{path}`, which no lab needs"
