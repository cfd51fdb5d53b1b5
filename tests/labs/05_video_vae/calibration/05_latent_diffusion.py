"""Copies what lab 05.5 shows of the stored arms out of benchmarks/results/mini_arm.json. It trains nothing.

python tests/labs/05_video_vae/calibration/05_latent_diffusion.py
"""

import json
from pathlib import Path

STORE = Path(__file__).with_suffix(".json")
RECORDS = Path(__file__).parents[4] / "benchmarks" / "results" / "mini_arm.json"
SHOWN = {"latents": "video", "pixels": "pixels", "raw latents": "raw"}  # as the page calls an arm -> as the record does
COLUMNS = ("core_seconds", "right", "color", "motion")


def study() -> dict:
    """For each arm that has a record: its curve, and how many of the clips were right at the end."""
    records = {one["arm"]: one for one in json.loads(RECORDS.read_text(encoding="utf-8")) if one["seed"] == 0}
    found = {}
    for name, arm in SHOWN.items():
        if one := records.get(arm):
            last = dict(zip(COLUMNS, one["curve"][-1])) | {"num_clips": one.get("looked_at")}
            end = one["end"].get("test", last)  # a run that was stopped may have its last look alone
            found[name] = {
                "core_seconds": one["stopped_at"] if one["end"] else last["core_seconds"],
                "batch_size": one["batch_size"],
                "curve": [dict(zip(COLUMNS, look)) for look in one["curve"]],
                "end": {key: round(end[key] * end["num_clips"]) for key in ("right", "color", "motion")}
                | {"total": end["num_clips"]},
            }
    return found


if __name__ == "__main__":
    STORE.write_text(json.dumps({"study": study()}, indent=1) + "\n", encoding="utf-8")
    print(STORE.read_text(encoding="utf-8"))
