"""Reading a notebook's code: what no lab needs is noted, and honest work is not, however it is written."""

import json
import time

import pytest

from common.course.base import paths
from common.course.grading import submissions, suspects


def notes(*sources: str) -> list[str]:
    """What is said of a notebook with these cells."""
    cells = [{"source": source, "tags": [], "exercise": "f", "is_check": False} for source in sources]
    return suspects.scan(cells)


HONEST = '''
import itertools as it, math, os, random, sys, time, warnings
import cv2, einops, matplotlib, numpy as np, PIL.Image, scipy.ndimage as ndi, torch, torch.nn as nn
import torch.nn.functional as F, torchvision.transforms as T
from abc import ABC, abstractmethod
from collections import Counter, OrderedDict, defaultdict, namedtuple
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache, partial, reduce, wraps
from math import *
from pathlib import Path
from typing import Any, Callable, NamedTuple
from einops import rearrange
from IPython.display import HTML, Video, display
from matplotlib import pyplot as plt
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image
from skimage.metrics import structural_similarity as ssim
from torch import Tensor
from torch.autograd import Function
from torch.utils.data import DataLoader, Dataset
from tqdm.auto import tqdm
warnings.filterwarnings("ignore")
plt.rcParams["figure.figsize"] = (4, 3)
matplotlib.rcParams.update({"font.size": 9})
os.environ["OMP_NUM_THREADS"] = "1"
torch.manual_seed(0); np.random.seed(0); random.seed(0)
torch.backends.cudnn.benchmark = True
device = "cuda" if torch.cuda.is_available() else "cpu"
print(torch.__version__, sys.version, torch, dir(np))
Pair = tuple[torch.Tensor, torch.Tensor]
xp = np
Fn = torch.nn.functional
files = !ls
%timeit math.sqrt(2)

class Mode(Enum):
    FAST = 1

class Base(ABC):
    @abstractmethod
    def f(self): ...

class Frames(Dataset):
    def __len__(self): return 3
    def __getitem__(self, i): return i

class Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.n = 3
        return x.round()

class Net(nn.Module):
    """A net. `__init__` takes a width."""
    def __init__(self, n=3, *, act=nn.SiLU, dtype: torch.dtype = torch.float32):
        super().__init__()
        self._hidden = n
        for i in range(n):
            setattr(self, f"conv{i}", nn.Conv2d(3, 3, 3))
        self.register_buffer("x", torch.zeros(2), persistent=False)
    def forward(self, x):
        for i in range(3):
            x = getattr(self, f"conv{i}")(x)
        return [getattr(self, name) for name in ("x", "training")], type(self).__name__, x
    def __repr__(self): return f"{self.__class__.__name__}({self._hidden})"

@dataclass
class Settings:
    a: int = 1
    b: list = field(default_factory=list)

class Point(NamedTuple):
    x: int
    def moved(self): return self._replace(x=2)

@lru_cache(maxsize=None)
def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)

def timed(f):
    @wraps(f)
    def inner(*a, **k):
        begin = time.perf_counter()
        out = f(*a, **k)
        print(f.__name__, time.perf_counter() - begin)
        return out
    return inner

@timed
@torch.no_grad()
def g(x: torch.Tensor, requests, socket, input, model: nn.Module | None = None) -> torch.Tensor:
    if not isinstance(x, (torch.Tensor, np.ndarray)): raise TypeError(type(x))
    x.grad = None
    y = x.detach().clone(); y.data = y.data * 2; y.mul_(2)
    torch.testing.assert_close(y, y); np.testing.assert_allclose(1, 1)
    for group in requests.param_groups: group["lr"] = 0.1
    for frame in input: frame.pts, frame.stream.codec_context.thread_type
    with ThreadPoolExecutor(2) as pool: list(pool.map(fib, [1, 2]))
    return F.pad(y, (1, 1)), torch.trace(y), np.select([1], [2]), np.frombuffer(b"a", np.uint8), map(torch.tensor, x)
'''


def test_honest_work_has_no_note():
    assert notes(HONEST) == []


def test_the_labs_their_solutions_and_every_right_answer_of_the_banks_have_no_note():
    for lab in paths.all_labs():
        given = submissions._given_cells(lab)
        cells = {target: submissions._code_cells(json.loads(lab.notebook(target).read_bytes()))
                 for target in ("labs", "solutions")}  # fmt: skip
        for written in cells.values():
            assert suspects.scan(written, given) == [], lab.id
        for answer in sorted(lab.bank.glob("*/right_*.py")):
            mine = [
                c | {"source": answer.read_text()} for c in cells["solutions"] if c["exercise"] == answer.parent.name
            ]
            assert suspects.scan([cells["labs"][0], *mine], given) == [], answer


# One step that no lab needs in each, beside what is ordinary.
STEPS = r"""
import torch; t = torch; t.equal = print
import torch; [0 for torch.equal in [print]]
import torch; a = b = torch
import torch; (lambda t: t)(torch).equal = print
import torch; class_of = {"t": torch}
import torch; kinds = [torch.Tensor]
import torch; f = torch.Tensor; f.all = print
import torch; getattr(torch, "li" + "brary")
import torch; n = "library"; getattr(torch, n)
import torch; torch.library.Library("aten", "IMPL")
import torch; torch.nn.modules.module.register_module_forward_hook(print)
import torch; torch.utils.data.dataloader.threading
import torch.utils._python_dispatch
from torch import os
import string; string.Formatter().get_field("0.a", [print], {})
from string import Formatter
import matplotlib.pyplot as plt; plt.switch_backend("module://builtins")
import torch; tools = problem.obj
from torch import *; equal.x = 1
from torch.overrides import TorchFunctionMode
import numpy as np; np.core.numeric.asarray = print
import numpy as np; np.lib.stride_tricks.as_strided
from common.show.flow_wheel import WHEEL_COLORS; WHEEL_COLORS[:] = 0
from common.show.flow_wheel import WHEEL_COLORS; WHEEL_COLORS.fill(0)
from common.show.flow_wheel import WHEEL_COLORS; WHEEL_COLORS *= 0
from common import course; course.plugin
import common.course.plugin
import math; math.isclose = print
import math; del math.isclose
import math; def_ = (math,)
import time; time.perf_counter.advance(5)
import functools; functools.update_wrapper(print, print)
import dataclasses; dataclasses.dataclass(int)
import numbers; numbers.Integral.register(str)
import logging; logging.currentframe()
import typing; typing.sys
import os; os.dup2(1, 5)
import sys; sys.modules
import sys; sys.path.insert(0, "x")
import threading
import weakref
import base64
from unittest import mock
exec("1")
e = exec
list(map(eval, ["1"]))
"{0.__globals__}".format(print)
class A(int): pass
class A(metaclass=print): pass
class A: __eq__ = print
A = type("A", (), {})
x.__class__ = int
type(x).all = print
x.all = print
__getattr__ = print
(lambda: 0).__code__
match x:  case object(__globals__=g): g
open("/proc/self/mem")
import torch; torch.load("x.pt", weights_only=False)
import numpy as np; np.load("x.npy", allow_pickle=True)
import pandas as pd; pd.eval("1")
import logging.config
import typing; typing.get_type_hints(print)
getattr
"""


@pytest.mark.parametrize("step", STEPS.strip().splitlines())
def test_a_step_that_no_lab_needs_is_noted(step):
    *first, last = step.split("; ") if ": " not in step.partition("; ")[0] else [step]
    source = "\n".join([*first, last]).replace(":  case", ":\n case").replace("=g): g", "=g): g")
    found = notes("x = [1]\nprint(x)", source)
    assert found and all(note.startswith("`f`, line ") for note in found), source


def test_a_note_names_the_cell_and_the_line():
    assert notes("x = 1", "import math\n\nmath.pi = 3") == ["`f`, line 3: changes `pi` of `math`"]


FITTED = {
    "a table": "def f(x):\n    return {3: 6, -2: -4, 0: 0}[x]",
    "a named table": "T = {(4, 2): [0, 3], (5, 1): [0], (2, 2): [0, 1]}\ndef f(n, k):\n    return T.get((n, k), [])",
    "a chain": "def f(x):\n    if x == 3: return 6\n    elif x == -2: return -4\n    elif x == 0: return 0",
    "cases": "def f(x):\n    match x:\n        case 3: return 6\n        case 2: return 4\n        case 0: return 0",
}
GENERAL = {
    "ends of a range": "def f(x):\n    if x == 0: return 0\n    if x == 1: return 1\n    return f(x - 1) + f(x - 2)",
    "settings": "SIZES = {'cpu': 3, 'gpu': 4, 'ci': 1}\ndef f(x):\n    return SIZES[x]",
    "a table that is used": "DEPTH = {8: 255, 10: 1023, 12: 4095}\ndef f(x, bits):\n    return x / DEPTH[bits]",
    "a class of a value": "def f(x, y):\n    kind = type(x)\n    return isinstance(y, kind), kind, str(x.__class__)",
}


def test_an_answer_that_only_fits_fixed_numbers_is_noted():
    assert [name for name, text in FITTED.items() if not notes(text)] == []
    assert [name for name, text in GENERAL.items() if notes(text)] == []


def test_a_magic_line_hides_nothing():
    assert notes("%matplotlib inline\nimport ctypes") == ["`f`, line 2: reaches for raw memory (`ctypes`)"]


@pytest.mark.parametrize(
    "text", ["x = " + "+".join(["a"] * 4000), "(" * 150 + ")" * 150, "a." * 3000 + "b", "x = 1\n" * 40_000]
)
def test_text_made_to_stall_the_reader_does_not(text):
    begin = time.process_time()
    notes(text)
    assert time.process_time() - begin < 5
