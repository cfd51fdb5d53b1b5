"""python make_card.py WORKTREE RUN_FOLDER DATE COMMIT HARDWARE: card.json and card.md of digits-convlstm from the log."""
import json, sys
from pathlib import Path
tree, run, date, commit, hardware = sys.argv[1:]
sys.path.insert(0, tree)
from common.zoo.card import Card, write_card
place = Path(tree) / "common/zoo/digits_convlstm"
last = json.loads((Path(run) / "log.jsonl").read_text().splitlines()[-1])
steps, core, wall = last["step"] + 1, last["cpu_seconds"], last["seconds"]
made = {
    "data": "Moving MNIST, split train: 20 frames of 64x64, two digits of 9,000 real ones",
    "steps": f"main {steps:,}; 8 clips each, every clip new: {8 * steps:,} clips",
    "recipe": "common/zoo/digits_convlstm/recipe.py, preset cpu, stage main: Muon, cross-entropy, running mean of the weights, float32",
    "hardware": hardware,
    "wall-clock": f"{wall / 60:.0f} min ({core / 60:.0f} minutes of one core)",
    "date": date,
    "commit": commit,
}
bars = {"mse_of_best_baseline": ["<=", 0.5]}
fails = [line[2:].strip() for line in (Path(__file__).parent / "fails.txt").read_text().splitlines() if line.startswith("- ")]
text = (Path(__file__).parent / "card.md").read_text()
table = "| | |\n|---|---|\n" + "\n".join(f"| {k} | {v} |" for k, v in made.items())
text = text.replace("MADE", table).replace("FAILS", "\n".join(f"- {f}" for f in fails))
(place / "card.md").write_text(text)
write_card(place, Card("digits-convlstm", "ConvLSTM that predicts Moving MNIST, 10 frames from 10", made=made, bars=bars, fails=fails))
