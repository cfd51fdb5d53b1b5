"""Swaps in one table: each number in its column, no PSNR for the truth; and the cut that keeps most."""

from common.evaluation.swap_table import COLUMNS, best_cut, swap_table


def row(**changes):
    return dict.fromkeys(COLUMNS, 1.0) | {"psnr": 20.5} | changes


def test_each_method_has_a_line_with_its_numbers_in_the_columns_order():
    text = swap_table({"truth": row(), "split": row(color=0.25, both=0.5)}, "8 swaps", without_psnr="truth")
    title, truth, split = text.splitlines()
    assert title.split()[2:] == [*COLUMNS, "PSNR"]
    assert truth.split()[1:] == ["100%"] * 6
    assert split.split()[1:] == ["100%", "25%", "100%", "100%", "100%", "50%", "20.5", "dB"]


def test_the_best_cut_has_most_clips_right_in_both_content_and_motion():
    scores = {2: row(both=0.1, motion=0.2), 8: row(both=0.5, motion=0.5), 40: row(both=0.2, content=0.1)}
    assert best_cut(scores) == 8
