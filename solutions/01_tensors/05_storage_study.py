# %% [markdown]
# # Lab 01.5 · The storage study
#
# **What you will have at the end:** a study, measured by your own code on 100 clips of real film, of what it costs to
# keep video raw, as H.264 and as AV1: bytes, time to write, time to read at random, and quality. One plot then tells
# when each of them is the right choice.
#
# | | |
# |---|---|
# | time | about 55 minutes |
# | difficulty | ★★☆☆☆ |
# | before this | [Inside a video file](../../phases/01_tensors/02_inside_a_video_file.ipynb), 15 minutes |
# | the film | 100 clips cut out of *Big Buck Bunny*, © 2008 Blender Foundation, CC BY 3.0 |
#
# The whole notebook runs at one of three sizes. `cpu` is yours unless you set `FLIPBOOK_PRESET`.
#
# | preset | clips | each `(T, H, W)` | on disk, for a while | all cells take about |
# |---|---|---|---|---|
# | `ci` | 100 | (16, 90, 160) | 75 MB | 30 s |
# | `cpu` | 100 | (24, 144, 256) | 0.3 GB | 60 s |
# | `gpu` | 100 | (32, 288, 512) | 1.5 GB | 150 s |

# %% tags=["setup"]
import tempfile
from pathlib import Path

import numpy as np
from IPython.display import display

from common import show, video
from common.course import check
from common.data.short_clips import cut_clips
from common.evaluation.storage import Form, Row, Stored, codec_form, load_raw
from common.progress import progress_bar
from common.runtime import preset
from common.show.storage import draw_clips, draw_curves, draw_generations, draw_load_times
from common.video.generations import generations

NUM_CLIPS = 100
NUM_FRAMES, HEIGHT = {"ci": (16, 90), "cpu": (24, 144), "gpu": (32, 288)}[preset()]
FORMS = [
    Form("raw .npy", ".npy", np.save, load_raw),
    codec_form("H.264 .mp4", ".mp4", "h264"),  # quality: crf 18 unless told otherwise
    codec_form("AV1 .webm", ".webm", "av1"),  # quality: crf 25 unless told otherwise
]
FOLDER = tempfile.TemporaryDirectory()
DISK = Path(FOLDER.name)

# %% [markdown]
# ## Where you are heading
#
# One frame of one clip, stored in the three forms and read back, with the bytes that the whole clip takes on disk.

# %% tags=["demo"] draws="Can you tell which is which without reading?"
CLIPS = cut_clips(NUM_CLIPS, NUM_FRAMES, HEIGHT)


def three_pictures(clip, forms=FORMS):
    """The middle frame of a clip, out of each form's file."""
    pictures = {}
    for form in forms:
        path = DISK / f"look{form.suffix}"
        form.store(path, clip)
        kilobytes = path.stat().st_size / 1000
        pictures[f"{form.name}, {kilobytes:,.0f} kB"] = form.load(path, [len(clip) // 2])[0]
    return show.side_by_side(pictures)


three_pictures(CLIPS[13])

# %% [markdown]
# So compression is free? Not quite. A compressed frame has to be decoded each time it is read, and what comes back is
# not what went in.
#
# **Before you read on, a prediction.** A training run loads whole clips from a disk that it shares with others, which
# leaves it 100 MB per second. Which form has a clip ready in memory first: raw, H.264 or AV1? And on a disk of your own
# that gives 3 GB per second? Write both guesses down. The plot at the end answers.

# %% [markdown] about="clip_psnr" difficulty=1 importance=4 minutes=5
# ## PSNR: how much was lost?
#
# The usual measure is the **peak signal-to-noise ratio** (PSNR): the largest value a byte can have, squared, over the
# mean squared error, in decibels,
#
# $$ \text{PSNR} = 10 \log_{10} \frac{255^2}{\operatorname{mean}_{t,h,w,c}\,(y - x)^2}. $$
#
# | quantity | shape | type |
# |---|---|---|
# | `restored`, $y$ | `(T, H, W, 3)` | `uint8` |
# | `original`, $x$ | `(T, H, W, 3)` | `uint8` |
# | result | one number, dB | 10 dB more means a tenth of the squared error |

# %% exercise="clip_psnr" from="common.evaluation.storage:clip_psnr"

# %% check="clip_psnr"

# %% [markdown] hints="clip_psnr"
# 1. Which type can hold a difference from -255 to 255, and its square? Convert before you subtract.
# 2. `restored.astype(np.float64) - original` is safe. Square it, take `.mean()` over everything, and look at that one
#    number: zero means identical.
# 3. Compare the two shapes first and raise `ValueError`. If the mean squared error is 0 return `float("inf")`, else
#    `float(10 * np.log10(255**2 / mean_squared_error))`.

# %% [markdown] troubles="clip_psnr"
# - **A tiny error counts like a huge one.** Bytes wrap around: 3 minus 5 is 254. Convert before you subtract. Squares
#   do not fit into `int16` either: 200² is 40,000.
# - **My PSNR is a little too high.** Decibels averaged frame by frame forgive the one frame that is ruined. Take the
#   mean over the whole clip first, then the logarithm.
# - **A dark clip gets a bad score.** The peak is 255, not the brightest pixel that happens to be there.
# - **Identical clips give a warning.** The error is 0 and you divide by it. Return infinity first.

# %% [markdown] about="store_clip" difficulty=2 importance=4 minutes=8
# ## One clip, one form, all that it costs
#
# Three things to measure, and each is easy to measure wrongly: the bytes **of the file**, the time **of the writing
# alone**, and the quality **of what comes back**.
#
# | field of `Stored` | |
# |---|---|
# | `form` | the form's name |
# | `raw_bytes` | the clip in memory, `frames.nbytes` |
# | `num_bytes` | the file's length, as the disk tells it |
# | `write_seconds` | from just before `form.store` to just after it |
# | `psnr` | your `clip_psnr` of the whole clip, loaded again, against `frames` |

# %% exercise="store_clip" from="common.evaluation.storage:store_clip"

# %% check="store_clip"

# %% [markdown] hints="store_clip"
# 1. Write down the order of events first: path, clock, store, clock, and only then everything else.
# 2. `path.stat().st_size` is the file's length in bytes; `frames.nbytes` is the array's. `form.load(path)` without
#    indices reads every frame.
# 3. `begin = clock()`, `form.store(path, frames)`, `seconds = clock() - begin`. Then `return Stored(form.name,
#    frames.nbytes, path.stat().st_size, seconds, clip_psnr(form.load(path), frames))`.

# %% [markdown] troubles="store_clip"
# - **Writing seems as slow as writing and reading.** You stop the clock after the clip was read back.
# - **The quality is too good.** You judge it by one frame, and codecs give the first frame the most bits.
# - **Every form takes the same space.** You count the bytes of the array, not those on the disk.
# - **It stores twice.** A warm-up here would time how fast an existing file is overwritten.

# %% tags=["demo"] draws="Your measurements of one clip. What does each form cost?"
for form in FORMS:
    one = store_clip(form, CLIPS[13], DISK, "first")
    print(f"{one.form:12}{one.num_bytes / 1000:9,.0f} kB{1000 * one.write_seconds:9.1f} ms to write{one.psnr:9.1f} dB")

# %% [markdown] about="random_read_ms" difficulty=3 importance=5 minutes=12
# ## A fair benchmark of random reads
#
# Training reads at random: any clip, any frame. How long does that take, in each form? Machines are noisy. Other
# programs wake up, processors heat up and slow down, and the first call of anything loads libraries. A fair race has
# four rules.
#
# 1. **Warm-up.** Every reader answers the first request once before the race, off the clock.
# 2. **The same requests for all**, in turn: each request is answered by every reader before the next request comes. If
#    the machine slows down, it slows down for all.
# 3. **A new first every time.** Request $i$ is answered first by reader $i \bmod n$, then by the readers after it,
#    round the circle. Going first can be a burden (cold caches) or a gift.
# 4. **The median** of each reader's times: one hiccup does not move it.
#
# | quantity | |
# |---|---|
# | `reads` | name → function `read(clip, frame)`, which opens that clip's file, reads that frame, closes it |
# | `requests` | list of `(clip, frame)` |
# | result | name → median time of one read, **milliseconds** |
#
# With three readers A, B, C and three requests the calls are A B C (off the clock), then **ABC BCA CAB**.

# %% exercise="random_read_ms" from="common.evaluation.storage:random_read_ms"

# %% check="random_read_ms"

# %% [markdown] hints="random_read_ms"
# 1. Two loops, one inside the other. The outer one is over requests, the inner one over readers: that is rule 2.
# 2. `names[k:] + names[:k]` is the circle, begun at reader `k`. Keep a list of times for each name.
# 3. Warm up with `reads[name](*requests[0])` for each name. In the inner loop: `begin = clock()`, the read,
#    `seconds[name].append(clock() - begin)`. At the end `1000 * float(np.median(seconds[name]))`.

# %% [markdown] troubles="random_read_ms"
# - **The first reader is always slowest.** It pays for the warm-up of all. Call each once, off the clock.
# - **The order is A B C every time.** Begin request $i$ with reader $i \bmod n$.
# - **One slow read spoils the result.** You take the mean. Take the median.
# - **The times are a thousand times too small.** The clock gives seconds, and milliseconds are asked for.

# %% [markdown] about="summarise" difficulty=2 importance=4 minutes=8
# ## From 300 measurements to three lines
#
# | field of `Row` | over the clips of one form |
# |---|---|
# | `num_clips` | how many |
# | `megabytes` | sum of `num_bytes`, over $10^6$ |
# | `compression` | $\sum \text{raw bytes} \,/\, \sum \text{bytes on disk}$ |
# | `write_ms` | median of `write_seconds`, in milliseconds |
# | `psnr` | mean of the clips' PSNR |
# | `worst_psnr` | the lowest of them |
#
# **Why not average the ratios?** Take two clips of 1 MB each: one shrinks to 1 kB, a factor of 1000, the other to 100
# kB, a factor of 10. The mean factor is 505, and yet 2 MB became 101 kB, a factor of 20. Your disk holds sums, so
# **divide the sums**. And a mean hides the clip that suffers: that is why the worst one is in the table.

# %% exercise="summarise" from="common.evaluation.storage:summarise"

# %% check="summarise"

# %% [markdown] hints="summarise"
# 1. Sort the measurements into one list for each form first. Then every field is one line.
# 2. `groups.setdefault(stored.form, []).append(stored)` keeps the order in which forms appear.
# 3. For each group: `Row(len(group), total / 1e6, raw_total / total, 1000 * np.median(times), np.mean(psnrs),
#    min(psnrs))`, with `total` the sum of `num_bytes` and `raw_total` the sum of `raw_bytes`.

# %% [markdown] troubles="summarise"
# - **My compression is far too large.** You average the ratios. Divide the sums.
# - **The forms come in another order.** A dictionary keeps the order in which its keys were added. Do not sort.
# - **The write time is pulled up by one clip.** You take the mean. The median is asked for, in milliseconds.

# %% [markdown]
# ## Put it to work
#
# The study: every clip in every form. First all are stored, then read at random: 200 single frames, each from a file
# that is opened anew, and whole clips.

# %% tags=["demo"] draws="A progress bar: 100 clips in three forms."
numbered = enumerate(progress_bar(CLIPS, desc="storing", unit=" clips"))
STUDY = [store_clip(form, clip, DISK, f"{i:03d}") for i, clip in numbered for form in FORMS]
TABLE = summarise(STUDY)

draw = np.random.default_rng(1)
REQUESTS = [(int(draw.integers(NUM_CLIPS)), int(draw.integers(NUM_FRAMES))) for _ in range(200)]


def frame_reader(form):
    return lambda clip, frame: form.load(DISK / f"{clip:03d}{form.suffix}", [frame])


def clip_reader(form):
    return lambda clip, frame: form.load(DISK / f"{clip:03d}{form.suffix}")


FRAME_MS = random_read_ms({form.name: frame_reader(form) for form in FORMS}, REQUESTS)
CLIP_MS = random_read_ms({form.name: clip_reader(form) for form in FORMS}, REQUESTS[:60])

# %% tags=["demo"] draws="The study's table. Raw is the baseline."
print(f"{NUM_CLIPS} clips of {NUM_FRAMES} frames, {CLIPS[0].shape[2]} x {CLIPS[0].shape[1]} pixels\n")
print("form            MB on disk   raw/stored   write a clip   read a frame   read a clip   PSNR   worst clip")
for name, row in TABLE.items():
    print(
        f"{name:12}{row.megabytes:14.2f}{row.compression:12.0f}x{row.write_ms:12.1f} ms{FRAME_MS[name]:12.2f} ms"
        f"{CLIP_MS[name]:11.1f} ms{row.psnr:7.1f}{row.worst_psnr:10.1f} dB"
    )

# %% [markdown]
# Read the raw line first. It is the **baseline** that everything is paid against: nothing is lost and a frame is there
# at once, for tens of times the disk space. The two codecs come out close to each other here. The spread between clips
# is wider than that between codecs.

# %% tags=["demo"] draws="100 clips, two codecs, one dot each."
draw_clips(STUDY, [form.name for form in FORMS[1:]])

# %% [markdown]
# **What to see.** One setting, and yet some clips shrink several times as much as others. What hardly moves costs
# hardly anything (to the right), and flying leaves cost much (to the left). A codec's factor is a fact about the film
# as much as about the codec. No clip gets near 50 dB, and the tutorial [Boxes and
# colours](../../phases/01_tensors/03_boxes_and_colours.ipynb) shows why: both codecs keep colour at half resolution
# before they compress anything.

# %% [markdown] about="bytes_at_quality" difficulty=3 importance=4 minutes=8
# ## Rate-distortion curves: bytes at equal quality
#
# The table's lines differ in quality as well as in bytes, so they do not say which codec is better. And quality 25 on
# H.264's scale (0 to 51) is not 25 on AV1's (0 to 63). So one encodes at several settings, draws bytes against PSNR (a
# **rate-distortion curve**), and reads both curves at the same height.
#
# Between two measured points the curve is close to a straight line if the bytes are on a logarithmic axis:
#
# $$ \log b(q) = \log b_0 + \frac{q - q_0}{q_1 - q_0} \, (\log b_1 - \log b_0), \qquad q_0 \le q \le q_1. $$
#
# | quantity | | example |
# |---|---|---|
# | `num_bytes` | bytes at each setting, any order | `[8000, 1000, 4000]` |
# | `psnrs` | dB at each setting, the same order | `[40, 30, 36]` |
# | `target` | dB | `33` |
# | result | bytes | `2000.0`: halfway from 30 to 36 dB, so the geometric mean of 1000 and 4000 |

# %% exercise="bytes_at_quality" from="common.evaluation.storage:bytes_at_quality"

# %% check="bytes_at_quality"

# %% [markdown] hints="bytes_at_quality"
# 1. Three steps: put the points in order of quality, interpolate, undo the logarithm.
# 2. `order = np.argsort(psnrs)` sorts both arrays alike. `np.interp(target, x, y)` draws straight lines, and `y` is the
#    logarithm of the bytes.
# 3. Refuse `target < min(psnrs)` and `target > max(psnrs)` first. Then `float(np.exp(np.interp(target,
#    np.asarray(psnrs)[order], np.log(num_bytes)[order])))`.

# %% [markdown] troubles="bytes_at_quality"
# - **The result is nonsense for some orders.** `np.interp` wants its points sorted by quality, and does not complain.
# - **Bytes and PSNR do not belong together.** You sort the two lists separately, which tears the pairs apart.
# - **Outside the curve it returns the last point.** Nothing was measured there. Raise `ValueError`.
# - **I get 2500 for the example.** You interpolate the bytes. Interpolate their logarithms.

# %% tags=["demo"] draws="Quality against bytes. Up and to the left is better."
SETTINGS = {"h264": (13, 18, 23, 28, 33), "av1": (15, 25, 35, 45, 55)}
SOME = CLIPS[:15:2]  # one each from eight shots, from the calmest to the wildest
curves = {}
for codec, suffix in (("h264", ".mp4"), ("av1", ".webm")):
    totals, qualities = [], []
    for quality in progress_bar(SETTINGS[codec], desc=codec, unit="setting"):
        form = codec_form(codec, suffix, codec, quality)
        stored = [store_clip(form, clip, DISK, f"curve_{i}") for i, clip in enumerate(SOME)]
        totals.append(sum(one.num_bytes for one in stored) / len(SOME))
        qualities.append(float(np.mean([one.psnr for one in stored])))
    curves[codec] = (totals, qualities)

shared = (max(min(q) for _, q in curves.values()), min(max(q) for _, q in curves.values()))
TARGETS = [round(shared[0] + part * (shared[1] - shared[0]), 1) for part in (0.15, 0.5, 0.85)]
display(draw_curves({"H.264": curves["h264"], "AV1": curves["av1"]}, TARGETS))
for target in TARGETS:
    h264, av1 = (bytes_at_quality(*curves[codec], target) for codec in ("h264", "av1"))
    print(f"at {target} dB: H.264 {h264 / 1000:.1f} kB, AV1 {av1 / 1000:.1f} kB, so AV1 takes {av1 / h264 - 1:+.0%}")

# %% [markdown]
# ## The result to remember
#
# Now the question of the prediction. The time to have a clip in memory is the time to fetch its bytes plus the time to
# decode them. Our measured reads came from memory that had just been written, so they hold the second part only. The
# first is bytes over the disk's speed:
#
# $$ t(v) = \frac{\text{bytes on disk}}{v} + t_\text{decode}. $$

# %% tags=["demo"] draws="Raw or compressed? Find the line that is lowest at your disk."
speeds = np.geomspace(10, 20_000, 200)  # MB per second
load_ms = {name: row.megabytes / row.num_clips / speeds * 1000 + CLIP_MS[name] for name, row in TABLE.items()}
raw = TABLE["raw .npy"]
load_ms["raw .npy as float32"] = 4 * raw.megabytes / raw.num_clips / speeds * 1000 + CLIP_MS["raw .npy"]

display(draw_load_times(speeds, load_ms))
for speed in (100, 3000):
    ready = {name: np.interp(speed, speeds, line) for name, line in load_ms.items()}
    print(f"at {speed:5} MB/s: " + ", ".join(f"{name} {ms:.1f} ms" for name, ms in ready.items()))
for name in ("H.264 .mp4", "AV1 .webm"):
    cheaper = speeds[load_ms[name] < load_ms["raw .npy"]]
    where = f"on disks slower than {cheaper.max():,.0f} MB/s" if len(cheaper) else "on none of these disks"
    print(f"{name} is ready before raw {where}")

# %% [markdown]
# **What to see.** The codecs' lines are flat: their few bytes come at once, and the processor is what you wait for. Raw
# falls with the disk's speed and wins in the end. The printed lines answer the prediction for your machine, and say
# where the lines cross. On most shared disks you are left of the crossing, and that is why video data sets are kept
# compressed and decoded on the fly. Right of it, where the data fit, raw bytes are the fastest there is.
#
# ## The negative control: compressing what is compressed
#
# A clip that passes through several tools is decoded, touched and encoded again each time. Here are eight generations.
# *Straight* passes the decoder's own pictures to the encoder, as `ffmpeg` does. *Through RGB* turns them into RGB bytes
# and back, as a Python script does. The third line is H.264 in its lossless mode (crf 0), through RGB, so that the
# codec itself loses nothing at all. And FFV1 keeps the RGB bytes.
# %% tags=["demo"] draws="Every generation loses, except in FFV1, which stays at infinity."
WAYS = {
    "H.264 at 23, straight": {"codec": "h264", "suffix": ".mp4", "quality": 23, "is_straight": True},
    "H.264 at 23, through RGB": {"codec": "h264", "suffix": ".mp4", "quality": 23},
    "H.264 lossless, through RGB": {"codec": "h264", "suffix": ".mp4", "quality": 0},
    "FFV1, through RGB": {"codec": "ffv1", "suffix": ".mkv", "quality": None},
}
worn = {way: list(generations(CLIPS[13], DISK, num=8, **options)) for way, options in WAYS.items()}
psnrs = {way: [clip_psnr(frames, CLIPS[13]) for frames in line] for way, line in worn.items()}
for way, row in psnrs.items():
    print(f"{way:28}" + " ".join(f"{psnr:5.1f}" for psnr in row) + " dB")
draw_generations(psnrs)

# %% tags=["demo"] draws="Eight generations later: look at the light."
worn_out = worn["H.264 at 23, through RGB"][-1]
caption = "Left: the original. Right: the eighth generation, through RGB."
show.player(np.concatenate([CLIPS[13], worn_out], axis=2), fps=12, width=288, max_bytes=60_000, caption=caption)

# %% [markdown]
# Straight, the second encoding finds little left to throw away, and the loss grows slowly. Through RGB it grows fast,
# and the lossless line says why: **most of that is not the codec.** Half of the colour is dropped and made up again
# each time, and the fast colour conversion that decoders use rounds downwards, by about one level in 255. Once, no one
# sees it. Eight times, and the film has gone dark. So **cut and scale from the best source there is, and encode once.**
#
# ## Try it
#
# Three knobs: the codec, its quality (lower is better, up to 51 for `h264` and 63 for `av1`), and the clip.

# %%
CODEC, QUALITY, WHICH = "h264", 38, 13

trial = codec_form(f"{CODEC} at {QUALITY}", {"h264": ".mp4", "av1": ".webm"}[CODEC], CODEC, QUALITY)
stored = store_clip(trial, CLIPS[WHICH], DISK, "trial")
print(f"{stored.raw_bytes / stored.num_bytes:.0f} times smaller than raw, PSNR {stored.psnr:.1f} dB")
three_pictures(CLIPS[WHICH], [FORMS[0], FORMS[1], trial])

# %% [markdown] tags=["folded"]
# ## Going further
#
# **More bytes are not more quality.** The dashed line above keeps the decoded frames as `float32`: four times the disk
# and four times the wait. What does it buy?

# %% tags=["demo"] draws="The same clip as bytes and as floats."
np.save(DISK / "as_float.npy", CLIPS[0].astype(np.float32) / 127.5 - 1)
restored = np.round((np.load(DISK / "as_float.npy") + 1) * 127.5).astype(np.uint8)
for label, name, frames in (("uint8", "000.npy", load_raw(DISK / "000.npy")), ("float32", "as_float.npy", restored)):
    print(f"{label:8}{(DISK / name).stat().st_size / 1000:8,.0f} kB   PSNR {clip_psnr(frames, CLIPS[0])} dB")

# %% [markdown]
# Nothing. The film had 256 levels before and has 256 levels after. **Store bytes, convert on the way into the model.**
#
# **An ablation to run.** Is the first frame of a compressed clip as slow to read as the last one? A codec decodes
# forwards from the last keyframe, and a short clip has one, at its start. Predict the ratio, then run it. What does
# that mean for a film with a keyframe every 250 frames?

# %%
FRAMES = (0, NUM_FRAMES - 1)

for frame in FRAMES:
    wanted = [(clip, frame) for clip in range(0, NUM_CLIPS, 2)]
    times = random_read_ms({form.name: frame_reader(form) for form in FORMS}, wanted)
    print(f"frame {frame:>2}: " + ", ".join(f"{name} {ms:.2f} ms" for name, ms in times.items()))

# %% [markdown]
# **Honest limits.**
#
# - All files were in memory when they were read (the system caches what was just written), so the times show decoding
#   and opening, not the disk. The disk is a formula in the last plot. On a cold network disk each file opened costs
#   milliseconds of its own, which is why big data sets pack many clips into one file.
# - The clips are small and short, and size matters. The larger the clip, the further to the right the lines cross, and
#   the more is said for the codec. A frame of 1080p has 56 times the pixels of one at `cpu`.
# - One preset of each encoder (`medium` of x264, `8` of SVT-AV1). AV1 gains most at slow presets and large pictures.
# - PSNR counts errors, whether or not an eye sees them, and here it counts colour as much as brightness.
#   `common.evaluation` has SSIM, and studies of codecs use VMAF.
# - The film is an animation that was H.264 before we cut it: its sources hold some of a codec's damage already. And the
#   100 clips come from 15 shots and overlap, so they are not 100 independent samples.
# - At full scale the same study runs over your own film: put its frames in `CLIPS`.
#
# **Reading.** *Overview of the H.264/AVC video coding standard* (Wiegand et al. 2003, IEEE TCSVT 13(7)). *A technical
# overview of AV1* (Han et al. 2021, arXiv:2008.06091). *Calculation of average PSNR differences between RD-curves*
# (Bjøntegaard 2001, ITU-T VCEG-M33) is the classical form of reading two curves at equal quality.

# %% [markdown]
# ## Yours now
#
# A harness for fair races, a way to compare at equal quality, and a table that divides sums. You will want them when
# you read that one thing is faster, or smaller, than another. The library has all five in `common.evaluation.storage`.
# In phase 05 the codec is a network, and the same curve, quality against size, judges it.
#
# **Next:** the next lab on the start page.
#
# *Film: Big Buck Bunny, © 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0.*
