"""What the page of lab 03.1 shows over many pictures: the look of the picture, frame by frame, and every knob.

    python tests/labs/03_image_to_video/calibration/01_svd_inference.py [PICTURES]

About four minutes of one core for 12 pictures. Run it again for other weights of `sprites-svd`: the file names those it
was measured with.
"""

import json
import sys
from pathlib import Path

import torch

from common.data.sprites import caption, render
from common.evaluation.image import psnr
from common.evaluation.kept_look import kept_look, pixels_per_frame
from common.models.inflated_model import InflatedUNet, checksum
from common.models.shipped import find
from common.pipelines.image_to_video import ImageToVideoPipeline
from common.runtime import limit_threads
from common.zoo.sprites_svd.recipe import asked

NUM_PICTURES, NUM_STEPS, BATCH, FPS = 12, 12, 8, 8
SHORT, LONG = 14, 25
KNOB_PICTURES, KNOB_FRAMES = 8, 8
BASE = {"fps": FPS, "motion_bucket_id": 127, "noise_aug_strength": 0.02, "min_guidance_scale": 1.5,
        "max_guidance_scale": 2.5, "num_inference_steps": NUM_STEPS}  # fmt: skip
KNOBS = {
    "as they are": {},
    "fps 4": {"fps": 4},
    "fps 16": {"fps": 16},
    "motion bucket 0": {"motion_bucket_id": 0},
    "motion bucket 255": {"motion_bucket_id": 255},
    "noise on the picture 0": {"noise_aug_strength": 0.0},
    "noise on the picture 0.2": {"noise_aug_strength": 0.2},
    "guidance 1 to 1": {"min_guidance_scale": 1.0, "max_guidance_scale": 1.0},
    "guidance 2.5 to 1.5, reversed": {"min_guidance_scale": 2.5, "max_guidance_scale": 1.5},
    "guidance 6 to 6": {"min_guidance_scale": 6.0, "max_guidance_scale": 6.0},
}


def clips_of(pipe, pictures, prompt=None, **given) -> torch.Tensor:
    """Clips that begin with pictures, `(B, 3, T, H, W)`, always from the same noise; without a prompt, as in SVD."""
    made, prompts = [], prompt or [""] * len(pictures)
    for start in range(0, len(pictures), BATCH):
        part = slice(start, start + BATCH)
        made.append(pipe(pictures[part], prompts[part], generator=start, **BASE | given).frames)
    return torch.cat(made)


def first_frame(clips, pictures) -> float:
    """The PSNR of first frames against pictures, mean, in dB."""
    found = [float(psnr(clip, picture, data_range=2)) for clip, picture in zip(clips[:, :, 0], pictures)]
    return round(sum(found) / len(found), 2)


def main() -> None:
    limit_threads()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else NUM_PICTURES
    pipe = ImageToVideoPipeline.from_pretrained("sprites-svd")
    scenes = asked("large", max(count, KNOB_PICTURES)).scenes[:count]
    pictures = render(scenes, LONG).clips()[:, :, 0]
    prompts, others = [caption(scene) for scene in scenes], pictures.roll(1, dims=0)
    config = {name: value for name, value in pipe.unet.config.items() if not name.startswith(("base", "_"))}
    blank = ImageToVideoPipeline(InflatedUNet(**config).eval(), pipe.vae)
    rows = {
        f"{SHORT} frames, with a caption": (pipe, pictures, {"num_frames": SHORT, "prompt": prompts}),
        f"{LONG} frames, with a caption": (pipe, pictures, {"num_frames": LONG, "prompt": prompts}),
        f"{LONG} frames, no sentence": (pipe, pictures, {"num_frames": LONG}),
        "the picture held still": (None, pictures, {}),
        "another clip's picture, this caption": (pipe, others, {"num_frames": SHORT, "prompt": prompts}),
        "another clip's picture, no sentence": (pipe, others, {"num_frames": SHORT}),
        "random weights": (blank, pictures, {"num_frames": SHORT, "num_inference_steps": 2}),
    }
    found = {"pictures": count, "weights": checksum(Path(find("sprites-svd"))), "identity": {}, "knobs": {}}
    for name, (made_by, shown, given) in rows.items():
        still = pictures[:, :, None].expand(-1, -1, LONG, -1, -1)
        clips = still if made_by is None else clips_of(made_by, shown, **given)
        kept = kept_look(pictures, clips)
        row = {word: round(each.float().mean().item(), 3) for word, each in kept.items()}
        row["first"] = None if made_by is None else first_frame(clips, pictures)
        row["frames"] = [round(value, 3) for value in kept["all"].float().mean(dim=0).tolist()]
        found["identity"][name] = row
        print(name, row, flush=True)
    pictures, prompts = pictures[:KNOB_PICTURES], prompts[:KNOB_PICTURES]
    for name, changed in KNOBS.items():
        clips = clips_of(pipe, pictures, prompts, num_frames=KNOB_FRAMES, **changed)
        found["knobs"][name] = {
            "speed": round(pixels_per_frame(clips).nanmean().item(), 3),
            "first": first_frame(clips, pictures),
            "kept": round(kept_look(pictures, clips)["all"][:, -1].float().mean().item(), 3),
        }
        print(name, found["knobs"][name], flush=True)
    Path(__file__).with_suffix(".json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
