"""What it costs to read frames, drawn: which frames a decoder works through, how many, and how long it takes."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

GREY, RUST, BLUE = "0.55", "#b3541e", "#1f6f8b"


def draw_decoding(wanted: Sequence[int], keyframes: Sequence[int], num_frames: int, runs: Sequence):
    """How often each frame of a film is decoded: from the start, with a seek for each wanted frame, and in runs.

    Args:
        wanted: numbers of the frames asked for, drawn as red lines.
        keyframes: numbers of the keyframes, the ticks of the axis.
        num_frames: of the film.
        runs: pairs (keyframe, wanted frames), as `common.video.plan.decode_runs` gives them.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    ways = {
        "scan: from the start": [(0, max(wanted))],
        "seek: for each frame": [(max(k for k in keyframes if k <= i), i) for i in wanted],
        "plan: in runs": [(keyframe, run[-1]) for keyframe, run in runs],
    }
    figure, axes = plt.subplots(len(ways), 1, figsize=(10, 2.9), sharex=True, layout="constrained")
    for axis, (way, stretches) in zip(axes, ways.items()):
        count = np.zeros(num_frames, int)
        for first, last in stretches:
            count[first : last + 1] += 1
        axis.imshow(count[None], aspect="auto", cmap="Greys", vmin=0, vmax=6, extent=(-0.5, num_frames - 0.5, 0, 1))
        axis.vlines(wanted, 0, 0.45, color="#c8321e", linewidth=2)
        axis.set_yticks([])
        axis.set_title(f"{way}: {count.sum()} frames decoded for {len(wanted)}", fontsize=10, loc="left")
    axis.set_xticks(keyframes if len(keyframes) < 12 else keyframes[::3])
    axis.set_xlabel("frame number; the ticks are keyframes")
    plt.close(figure)
    return figure


def draw_costs(cost: Callable, gap: int, length: int, *, seed: int = 0, num_draws: int = 20):
    """Frames decoded over random frames asked for, by each way of reading: a mean over draws.

    Args:
        cost: `common.video.stepping.decoded_per_asked`, or one like it: frames decoded per frame asked for.
        gap: frames from one keyframe to the next.
        length: frames of the film.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    draw, keyframes = np.random.default_rng(seed), list(range(0, length, gap))
    counts = np.arange(1, length + 1, 4).tolist()
    samples = {n: [draw.choice(length, n, replace=False).tolist() for _ in range(num_draws)] for n in counts}
    figure, axis = plt.subplots(figsize=(8, 3), layout="constrained")
    for how, colour in (("scan", GREY), ("seek", RUST), ("plan", BLUE)):
        decoded = [np.mean([cost(wanted, keyframes, how) * n for wanted in samples[n]]) for n in counts]
        axis.plot(counts, decoded, color=colour, label=how)
    axis.axhline(length, color="0.8", linewidth=1)
    axis.set(xlabel="random frames asked for", ylabel="frames decoded", ylim=(0, 2.5 * length))
    axis.legend()
    plt.close(figure)
    return figure


def draw_timings(timings: Mapping[str, Mapping], num_frames: Mapping[str, int], *, highlight: str = ""):
    """Bars of how long readers take, one panel per task.

    Args:
        timings: task to reader to its `common.evaluation.timing.Timing`. A reader that has no time in a task is marked.
        num_frames: task to the frames read in it.
        highlight: the reader whose bars have another colour.

    Returns:
        A matplotlib figure.
    """
    import matplotlib.pyplot as plt

    names = list({name: None for row in timings.values() for name in row})[::-1]
    size = (2.75 * len(timings), 3.2)
    figure, axes = plt.subplots(1, len(timings), figsize=size, sharey=True, layout="constrained", squeeze=False)
    for axis, (task, row) in zip(axes[0], timings.items()):
        for place, name in enumerate(names):
            if name not in row:
                axis.text(0, place, " not run", va="center", color="0.5", fontsize=9)
                continue
            low, middle, high = 1e3 * row[name].fastest, 1e3 * row[name].median, 1e3 * row[name].slowest
            axis.barh(place, middle, color=RUST if name == highlight else BLUE, height=0.6)
            axis.plot([low, high], [place, place], color="0.2", linewidth=1)
            axis.text(high, place, f"  {1e3 * num_frames[task] / middle:,.0f}/s", va="center", fontsize=8)
        axis.set_title(task, fontsize=10)
        axis.set_xlabel("ms per clip, median")
        axis.set_xlim(0, 1.35e3 * max(timing.slowest for timing in row.values()))
    axes[0, 0].set_yticks(range(len(names)), names)
    figure.suptitle("Bar: median. Line: fastest to slowest. Number: frames per second", fontsize=10)
    plt.close(figure)
    return figure
