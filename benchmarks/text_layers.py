"""Which layer's states tell best what belongs together in a caption.

    python benchmarks/text_layers.py [--scenes 1200]

Captions with two objects of different shapes: from the state of the word for a shape, a linear map (ridge regression on
three quarters of the scenes) tells the shape, the colour and the motion of that object; shown is the part of the other
quarter that it gets right, for the states before the first of MiniLM's layers and after each. A video model reads one
layer's states: the library's choice is `common.text.encoder.LAYER`. The numbers go to
benchmarks/results/text_layers.json.

Not shown: what a trained video model makes of it; a transformer can gather from several words what one does not hold.
"""

import argparse
import json
from pathlib import Path

import torch
from torch.nn import functional as F

from common.data.sprites import SpriteData, caption
from common.data.sprites.attributes import COLORS, MOTIONS, SHAPES
from common.data.sprites.captions import SHAPE_NAMES
from common.text.bert import load_bert
from common.text.encoder import weights_folder
from common.text.wordpiece import WordPiece

RESULTS = Path(__file__).resolve().parent / "results" / "text_layers.json"
QUESTIONS = ("shape", "colour", "motion")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenes", type=int, default=1200)
    arguments = parser.parse_args()
    report = measure(arguments.scenes)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"| after layer | {' | '.join(QUESTIONS)} |\n|---|{'---|' * len(QUESTIONS)}")
    for layer, row in enumerate(report["right"]):
        print(f"| {layer} | {' | '.join(f'{part:.1%}' for part in row.values())} |")


@torch.no_grad()
def measure(num_scenes: int) -> dict:
    """The part of the questions that is answered right, by layer."""
    bert, tokenizer = load_bert(weights_folder()), WordPiece.from_file(weights_folder() / "vocab.txt")
    shape_of = {tokenizer.numbers[name.split()[0]]: shape for shape, names in SHAPE_NAMES.items() for name in names}
    inputs, answers = [], []
    for scene in SpriteData(num_objects=2).scenes(range(num_scenes)):
        if len({item.shape for item in scene.objects}) < 2:
            continue
        tokens = tokenizer(caption(scene, scene.index))
        states = torch.cat(bert(torch.tensor([tokens]), torch.ones(1, len(tokens))))  # (7, L, D)
        for item in scene.objects:
            place = next(i for i, token in enumerate(tokens) if shape_of.get(token) == item.shape)
            inputs.append(states[:, place])
            answers.append([SHAPES.index(item.shape), list(COLORS).index(item.color), MOTIONS.index(item.motion)])
    layers, answers = torch.stack(inputs, dim=1), torch.tensor(answers)  # (7, N, D), (N, 3)
    return {"scenes": num_scenes, "objects": len(answers), "right": [accuracy(x, answers) for x in layers]}


def accuracy(x: torch.Tensor, answers: torch.Tensor) -> dict[str, float]:
    """A ridge regression on three quarters, and the part of the rest that it gets right, of each question."""
    x = torch.cat([(x - x.mean(0)) / x.std(0), torch.ones(len(x), 1)], dim=1)
    cut, right = int(0.75 * len(x)), {}
    covariance = x[:cut].T @ x[:cut] + 3 * torch.eye(x.shape[1])
    for name, question in zip(QUESTIONS, answers.T, strict=True):
        weights = torch.linalg.solve(covariance, x[:cut].T @ F.one_hot(question[:cut]).float())
        right[name] = round(float(((x[cut:] @ weights).argmax(dim=1) == question[cut:]).float().mean()), 4)
    return right


if __name__ == "__main__":
    main()
