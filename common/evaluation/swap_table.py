"""Swaps in one table: methods in rows, what they keep and what follows in columns."""

from collections.abc import Mapping

COLUMNS = ("shape", "color", "background", "content", "motion", "both")


def swap_table(scores: Mapping[str, Mapping[str, float]], title: str, *, without_psnr: str | None = None) -> str:
    """Rows of `swap_scores` as text.

    Args:
        scores: method to what `swap_scores` found.
        title: of the first column.
        without_psnr: the method whose PSNR says nothing, since it is the truth.
    """
    lines = [f"{title:26}" + "".join(f"{name:>12}" for name in (*COLUMNS, "PSNR"))]
    for method, row in scores.items():
        psnr = "" if method == without_psnr else f"{row['psnr']:9.1f} dB"
        lines.append(f"{method:26}" + "".join(f"{row[name]:12.0%}" for name in COLUMNS) + psnr)
    return "\n".join(lines)


def best_cut(scores: Mapping[int, Mapping[str, float]]) -> int:
    """The number of directions whose swap has the most clips right: in both, in content and in motion, added."""
    return max(scores, key=lambda count: sum(scores[count][what] for what in ("both", "content", "motion")))
