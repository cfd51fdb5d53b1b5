"""Copies what lab 06.2 shows of the stored arms out of benchmarks/results/sampling_steps.json. It trains nothing.

python tests/labs/06_dit_flow_matching/calibration/02_flow_matching.py
"""

import json
from pathlib import Path

STORE = Path(__file__).with_suffix(".json")
RECORDS = Path(__file__).parents[4] / "benchmarks" / "results" / "sampling_steps.json"
# As the page calls an arm -> the arm, and the sampler that its clips at captions from 0 on were drawn with.
SHOWN = {
    "flow, logit-normal levels": ("video", "euler"),
    "flow, uniform levels": ("uniform", "euler"),
    "v": ("v", "euler"),
    "ε": ("epsilon", "leading"),
}
COLUMNS = ("steps", "right", "color", "motion", "total")


def study() -> dict:
    """For each arm a list of its runs, by seed: how many clips were right after how many sampling steps."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    found = {}
    for name, (arm, sampler) in SHOWN.items():
        mine = [one for one in records if (one["arm"], one["sampler"], one["first"]) == (arm, sampler, 0)]
        for seed in sorted({one["seed"] for one in mine}):
            rows = sorted((one for one in mine if one["seed"] == seed), key=lambda one: one["steps"])
            run = {"seed": seed, "counts": [{column: one[column] for column in COLUMNS} for one in rows]}
            found.setdefault(name, []).append(run)
    return found


if __name__ == "__main__":
    STORE.write_text(json.dumps({"study": study()}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(STORE.read_text(encoding="utf-8"))
