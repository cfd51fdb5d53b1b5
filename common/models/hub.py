"""Models of other people, from this machine or from the Hugging Face Hub."""

import contextlib
import warnings
from collections.abc import Generator


@contextlib.contextmanager
def quiet_loading() -> Generator[None]:
    """Without the Hub client's warning about an argument that diffusers still passes on: no reader can do anything."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*local_dir_use_symlinks.*")
        yield
