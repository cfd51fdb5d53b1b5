"""What lab 06.5 shows from stored runs: every model in every shape, read by the world's reader.

    python tests/labs/06_dit_flow_matching/calibration/05_variable_resolution.py [--control FOLDER]

writes the JSON beside this file, and keeps what is in it already. About ten core-minutes where nothing is. Rows of a
model whose weights are not there are left out. The control is trained by

    python -m common.zoo.sprites_t2v_shapes.control FOLDER
"""

import json
import sys
from pathlib import Path

import torch

from common.models.dit import VideoDiT
from common.models.shaped_dit import ShapedVideoDiT
from common.zoo.card import read_card
from common.zoo.shapes_study import COUNTED, OtherPlaces, count_right, name_of
from common.zoo.shelf import folder, has_weights
from common.zoo.sprites_t2v_shapes.measures import SETTINGS

OUT = Path(__file__).with_suffix(".json")
NUM_CLIPS, FEW = 64, 24
SQUARE, WIDE, TALL, LONG = (17, 64, 64), (17, 48, 80), (17, 96, 64), (25, 64, 64)
BASE, NAME = "sprites-t2v", "sprites-t2v-shapes"
PLAN = {
    "square": {WIDE: NUM_CLIPS, TALL: NUM_CLIPS, SQUARE: FEW, LONG: FEW}, "scaled": {WIDE: NUM_CLIPS, TALL: NUM_CLIPS},
    "by axis": {WIDE: FEW, TALL: FEW}, "by area": {WIDE: FEW, TALL: FEW}, "frames scaled": {LONG: FEW},
    "shaped": dict.fromkeys((SQUARE, WIDE, TALL, LONG), NUM_CLIPS),
    "control": dict.fromkeys((WIDE, TALL, LONG), NUM_CLIPS),
}  # fmt: skip
OTHERS = {"by axis": "axis", "by area": "area", "frames scaled": "frames"}


def model_of(row: str, control: str | None):
    """The model of a row; None where it is not there."""
    if row == "square":
        return VideoDiT.from_pretrained(BASE).eval()
    if row == "scaled":
        return ShapedVideoDiT.placed(BASE)
    if row in OTHERS:
        model = OtherPlaces.placed(BASE)
        model.how = OTHERS[row]
        return model
    if row == "control":
        return None if control is None else ShapedVideoDiT.from_pretrained(control)
    return ShapedVideoDiT.from_pretrained(NAME) if has_weights(NAME) else None


def on_card(shape) -> dict[str, list[int]] | None:
    """What the card says of the finished model, in clips; None where it has other ones."""
    stated = read_card(folder(NAME)).measured.get("full", {})
    parts = {name: stated.get(f"{name_of(shape)}/{name}") for name in COUNTED}
    if SETTINGS["full"] != NUM_CLIPS or None in parts.values():
        return None
    return {name: [round(part * NUM_CLIPS), NUM_CLIPS] for name, part in parts.items()}


def main() -> None:
    """Measure what is not there yet."""
    torch.set_num_threads(1)
    control = sys.argv[2] if sys.argv[1:2] == ["--control"] else None
    found = json.loads(OUT.read_text()) if OUT.is_file() else {"study": {}}
    for row, shapes in PLAN.items():
        missing = [shape for shape in shapes if name_of(shape) not in found["study"].get(row, {})]
        model = model_of(row, control) if missing else None
        for shape in missing if model is not None else ():
            counts = on_card(shape) if row == "shaped" else None
            counts = counts or count_right(model, shape, shapes[shape])
            found["study"].setdefault(row, {})[name_of(shape)] = counts
            print(row, name_of(shape), counts, flush=True)
            OUT.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
