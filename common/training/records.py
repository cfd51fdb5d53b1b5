"""What a training run writes down as it goes: lines of numbers, curves for TensorBoard, sample sheets."""

import json
from pathlib import Path
from typing import Any

from common.files import write_text


class Records:
    """The log of one training run: `log.jsonl`, `sheets/`, and `tensorboard/` where that is installed.

    Args:
        folder: of the run.
        first_step: where it begins or goes on. Lines of steps from there on, left by a run that was killed after
            its last checkpoint, are dropped: they will be written again.
    """

    def __init__(self, folder: Path, first_step: int):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        kept = [line for line in read_log(folder) if line["step"] < first_step]
        write_text(self._log, "".join(json.dumps(line) + "\n" for line in kept))
        self.curves = _summary_writer(folder / "tensorboard", first_step)

    @property
    def _log(self) -> Path:
        return self.folder / "log.jsonl"

    def write(self, step: int, values: dict[str, Any]) -> None:
        """Add a line for a step, counted from 0."""
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **values}) + "\n")
        if self.curves is not None:
            for name, value in values.items():
                self.curves.add_scalar(name, value, step)

    def sheet(self, step: int, picture) -> Path:
        """Keep a sample sheet: an object with `.save(path)`."""
        path = self.folder / "sheets" / f"step_{step:08d}.png"
        path.parent.mkdir(exist_ok=True)
        picture.save(path)
        return path

    def close(self) -> None:
        if self.curves is not None:
            self.curves.close()


def read_log(folder: Path) -> list[dict[str, Any]]:
    """The lines of a training log, up to the first that is none, such as one that was cut off as it was written."""
    path = Path(folder) / "log.jsonl"
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            line = json.loads(text)
        except (ValueError, RecursionError):
            break
        if not isinstance(line, dict) or type(line.get("step")) is not int:
            break
        lines.append(line)
    return lines


def _summary_writer(folder: Path, first_step: int):
    """TensorBoard's writer, or None where TensorBoard is not installed (it comes with the extra `course`)."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder), purge_step=first_step)
