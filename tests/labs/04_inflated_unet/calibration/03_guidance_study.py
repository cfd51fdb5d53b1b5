"""The grid that lab 04.3 shows: 5 strengths of the picture by 5 of the text, 32 clips in each cell, paired noise.

    python tests/labs/04_inflated_unet/calibration/03_guidance_study.py

It trains nothing. About ten core-minutes; stopped, it begins again.
"""

import json
from pathlib import Path

import torch

from common.evaluation.sweep import paired_sweep
from common.pipelines import TextToVideoPipeline
from common.progress import progress_bar
from common.zoo.sprites_t2v.conflict import conflicts, scores

SCALES = (0.0, 1.0, 2.0, 4.0, 7.0)
NUM_CLIPS, NUM_STEPS, RESCALE = 32, 10, 0.7
PLACE = Path(__file__).with_suffix(".json")


def main():
    torch.set_num_threads(1)
    pipe, asks = TextToVideoPipeline.from_pretrained("sprites-t2v"), conflicts(NUM_CLIPS)
    pipe.set_progress_bar_config(disable=True)
    cells = progress_bar(total=len(SCALES) ** 2 + len(SCALES) + 2, desc="cells", unit="cell")
    others = asks.prompts[1:] + asks.prompts[:1]  # another clip's sentence

    def measure(image_scale, text_scale, generators, rescale=0.0, prompts=asks.prompts, away_from=None):
        strengths = {"image_guidance_scale": image_scale, "guidance_scale": text_scale, "guidance_rescale": rescale}
        options = {"num_inference_steps": NUM_STEPS, "generator": generators, "negative_prompt": away_from, **strengths}
        clips = pipe(prompts, list(asks.pictures), **options)
        cells.update()
        return scores(asks, clips.frames)

    grid = paired_sweep(measure, SCALES, SCALES, range(NUM_CLIPS))
    tamed = paired_sweep(lambda *cell: measure(*cell, rescale=RESCALE), SCALES, SCALES[-1:], range(NUM_CLIPS))
    controls = {"asked for another clip's sentence": {"prompts": others}, "led away from it": {"away_from": others}}
    controls = {
        name: paired_sweep(lambda *cell, how=how: measure(*cell, **how), [1.0], [4.0], range(NUM_CLIPS))
        for name, how in controls.items()
    }
    found = {
        "scales": SCALES,
        "num_clips": NUM_CLIPS,
        "num_steps": NUM_STEPS,
        "grid": {name: values.mean(axis=-1).round(4).tolist() for name, values in grid.items()},
        "controls_at_picture_1_text_4": {
            name: {n: round(float(v.mean()), 4) for n, v in values.items()} for name, values in controls.items()
        },
        "rescale": RESCALE,
        "rescaled_at_the_largest_text": {n: v.mean(axis=-1)[:, 0].round(4).tolist() for n, v in tamed.items()},
    }
    PLACE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
