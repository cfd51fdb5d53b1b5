"""What lab 06.3 shows of runs that it does not make: the coders alone on real clips, and the arms that were trained.

python tests/labs/06_dit_flow_matching/calibration/03_open_sora.py                    coders measured, arms copied
python tests/labs/06_dit_flow_matching/calibration/03_open_sora.py --arms             arms copied alone
python tests/labs/06_dit_flow_matching/calibration/03_open_sora.py --closed WEIGHTS   the control measured, arms copied

The control is the arm "stdit-video", from a folder with its weights, with its temporal blocks at zero. The arms are
those of benchmarks/results/mini_arm.json; they are trained by `benchmarks/mini_arm.py --arm stdit-video` and so on.
"""

import argparse
import json
from pathlib import Path

import torch

from common.data.mini import MiniSprites
from common.data.sprites.solo import SOLO_FPS
from common.evaluation.motions import motion_shares
from common.models.interpolator import Interpolator
from common.models.skipped_frames import SkippedFrames
from common.models.stdit import STDiT, close_temporal_blocks
from common.zoo.mini_arm import MiniCoder, generate

STORE = Path(__file__).with_suffix(".json")
RECORDS = Path(__file__).parents[4] / "benchmarks" / "results" / "mini_arm.json"
ARMS = ("stdit-video", "stdit-skipped", "stdit-apart")
NUM_CLIPS, BATCH, NUM_CLOSED = 384, 48, 96


@torch.no_grad()
def coders() -> dict[str, dict[str, list[int]]]:
    """Real clips of the test split through each coder and back: of each motion how many are still seen, of how many."""
    vae, film = MiniCoder().vae, Interpolator.from_pretrained("film-interpolator").eval()
    ways = {
        "video VAE": lambda clips: vae.decode(vae.encode(clips).latent_dist.mode()).sample,
        "skipped, FILM between": lambda clips: back(SkippedFrames(vae, film), clips),
        "skipped, mean between": lambda clips: back(SkippedFrames(vae, lambda a, b: (a + b) / 2), clips),
        "kept frames alone": lambda clips: back(SkippedFrames(vae, film), clips)[:, :, ::4],
    }
    found = {name: {} for name in ways}
    for start in range(0, NUM_CLIPS, BATCH):
        batch = MiniSprites("test").batch(range(start, start + BATCH))
        for name, way in ways.items():
            fps = SOLO_FPS / 4 if name == "kept frames alone" else SOLO_FPS
            for word, share in motion_shares(batch.captions, way(batch.clips()).clamp(-1, 1), fps).items():
                counts = found[name].setdefault(word, [0, 0])
                found[name][word] = [counts[0] + share.right, counts[1] + share.total]
    return found


def back(coder, clips):
    return coder.decode(coder.encode(clips))


def arms() -> list[dict]:
    """The records of the arms: curve, end, budget."""
    records = json.loads(RECORDS.read_text(encoding="utf-8"))
    wanted = ("arm", "seed", "core_seconds", "stopped_at", "steps", "curve", "end")
    return [{name: one[name] for name in wanted} for arm in ARMS for one in records if one["arm"] == arm]


def closed(weights: str) -> dict[str, list[int]]:
    """Clips drawn with temporal blocks at zero: of each motion how many show it, of how many."""
    model = STDiT.from_pretrained(weights, torch_dtype=torch.float32).eval()
    close_temporal_blocks(model)
    captions = MiniSprites("test", num_frames=1, size=8).batch(range(NUM_CLOSED)).captions
    shares = motion_shares(captions, generate(model, MiniCoder(), captions))
    return {word: [share.right, share.total] for word, share in shares.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--arms", action="store_true", help="Copy the arms alone.")
    parser.add_argument("--closed", metavar="WEIGHTS", help="Measure the control alone.")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    stored = json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}
    if not (asked.arms or asked.closed):
        stored["coders"] = coders()
    if asked.closed:
        stored["closed"] = closed(asked.closed)
    stored["arms"] = arms()
    STORE.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
