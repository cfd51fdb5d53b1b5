"""Bytes, quality and seconds of clips on disk, drawn."""

from collections.abc import Mapping, Sequence

import numpy as np

COLOURS = ("#1f6f8b", "#b3541e", "#8a7a2f", "0.25")
DISKS = {"a share of\na network disk": 100, "SATA SSD": 500, "NVMe SSD": 3000}  # MB per second


def draw_clips(measurements: Sequence, forms: Sequence[str]):
    """One dot per clip: how many times smaller it became, and its PSNR.

    Args:
        measurements: `common.evaluation.storage.Stored`, of many clips.
        forms: names of the forms to draw.

    Returns:
        A matplotlib figure.
    """
    figure, axis = _axis(4.2)
    for name, colour in zip(forms, COLOURS):
        chosen = [stored for stored in measurements if stored.form == name]
        factors = [stored.raw_bytes / stored.num_bytes for stored in chosen]
        axis.scatter(factors, [stored.psnr for stored in chosen], s=22, alpha=0.7, color=colour, label=name)
    axis.set(xscale="log", xlabel="times smaller than raw", ylabel="PSNR of what comes back (dB)")
    axis.set_title("One dot per clip")
    return _finished(figure, axis, axis.xaxis)


def draw_curves(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], targets: Sequence[float] = ()):
    """Rate-distortion curves: PSNR over the bytes of a clip, one line per codec.

    Args:
        curves: name to bytes and dB at each setting.
        targets: qualities that are marked, in dB.

    Returns:
        A matplotlib figure.
    """
    figure, axis = _axis(4.2)
    for (name, (num_bytes, psnrs)), colour in zip(curves.items(), COLOURS):
        axis.plot(np.array(num_bytes) / 1000, psnrs, marker="o", color=colour, label=name)
    for target in targets:
        axis.axhline(target, color="0.75", linestyle=":", zorder=0)
    axis.set(xscale="log", xlabel="kB per clip", ylabel="PSNR (dB)")
    axis.set_title("Quality against bytes: up and to the left is better")
    return _finished(figure, axis, axis.xaxis)


def draw_load_times(speeds: np.ndarray, load_ms: Mapping[str, np.ndarray]):
    """Milliseconds until a clip is in memory, over the disk's speed in MB per second; one line per form."""
    figure, axis = _axis(4.6)
    styles = {"raw .npy": ("0.25", "-"), "H.264 .mp4": (COLOURS[0], "-"), "AV1 .webm": (COLOURS[1], "-")}
    for name, line in load_ms.items():
        colour, style = styles.get(name, ("0.55", "--"))
        axis.plot(speeds, line, color=colour, linestyle=style, label=name)
    for label, speed in DISKS.items():
        axis.axvline(speed, color="0.85", zorder=0)
        axis.text(speed * 1.05, axis.get_ylim()[1] * 0.6, label, fontsize=8, color="0.4", va="top")
    axis.set(xscale="log", yscale="log")
    axis.set(xlabel="what the disk gives you (MB per second)", ylabel="ms until a clip is in memory")
    axis.set_title("Raw or compressed? It depends on the disk")
    return _finished(figure, axis, axis.xaxis, axis.yaxis)


def draw_generations(psnrs: Mapping[str, Sequence[float]]):
    """PSNR of each generation against the original; a way without any loss has no line, only its place in the title."""
    figure, axis = _axis(3.8)
    for (way, row), colour in zip(psnrs.items(), COLOURS):
        if np.isfinite(row[0]):
            axis.plot(range(1, len(row) + 1), row, marker="o", color=colour, label=way)
    lossless = [way for way, row in psnrs.items() if not np.isfinite(row[0])]
    axis.set(xlabel="generation", ylabel="PSNR against the original (dB)")
    axis.set_title("Every generation loses" + f" (not in this plot: {', '.join(lossless)})" * bool(lossless))
    return _finished(figure, axis)


def _axis(height: float):
    import matplotlib.pyplot as plt

    return plt.subplots(figsize=(8.5, height), layout="constrained")


def _finished(figure, axis, *logarithmic):
    """With a legend, and round numbers along the logarithmic axes: 1, 2, 5, 10, ..."""
    import matplotlib.pyplot as plt
    from matplotlib.ticker import LogLocator

    for one in logarithmic:
        one.set_major_locator(LogLocator(subs=(1, 2, 5)))
        one.set_major_formatter("{x:g}")
        one.set_minor_formatter("")
    axis.legend(fontsize=9)
    plt.close(figure)
    return figure
