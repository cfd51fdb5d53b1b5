"""Results as text and as static HTML: no widgets and no style sheet, so that they survive saving and other viewers."""

import html

from common.course.base.results import score

MARKS = {"pass": "✔", "fail": "✘", "todo": "○", "blocked": "⊘", "error": "!", "timeout": "◷"}
WORDS = {"todo": "to do", "timeout": "too slow"}  # said beside the mark, for those who cannot tell the colours
# Each has a contrast of at least 4:1 on white and on JupyterLab's dark background (tests/course/test_render.py).
GREEN, RED, AMBER, GREY = "#238a45", "#e0483f", "#a2720a", "#767d85"
COLOURS = {"pass": GREEN, "fail": RED, "error": RED, "timeout": RED, "todo": AMBER, "blocked": GREY}
TERMINAL = {GREEN: "\033[32m", RED: "\033[31m", AMBER: "\033[33m", GREY: "\033[90m"}

BOX = "border-left:5px solid {colour};padding:6px 12px;margin:4px 0;text-align:left;line-height:1.45"
MESSAGE = (
    "white-space:pre-wrap;overflow-wrap:anywhere;font-family:monospace;font-size:0.95em;margin:2px 0 6px 1.5em;"
    "padding:3px 8px;background:rgba(128,128,128,0.14);border-radius:3px"
)
SHARED = "white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0 4px 0"
FOLD = "margin:6px 0;max-width:100%;overflow-x:auto"
PICTURE = "display:block;max-width:100%;margin:4px 0 8px 1.5em;image-rendering:auto"


def headline(lab, results) -> str:
    """One line, such as `Lab 01.2, even_indices: 3 of 5 tests pass, 4 of 9 points`."""
    earned, points = score(results)
    passed = sum(r.ok for r in results)
    if results and passed == len(results):
        tests = "the test passes" if passed == 1 else f"all {passed} tests pass"
    else:
        tests = f"{passed} of {len(results)} tests pass"
    exercises = list(by_exercise(results))
    about = f", {exercises[0]}" if len(exercises) == 1 else ""
    return f"Lab {lab.id}{about}: {tests}, {earned:g} of {points:g} points"


def by_exercise(results) -> dict[str, list]:
    """The results under their exercises, in order."""
    groups: dict[str, list] = {}
    for result in results:
        groups.setdefault(result.exercise, []).append(result)
    return groups


def first_problem(results):
    """The result to look at first: what is wrong before what is missing. None when all is well."""
    unfinished = [r for r in results if not r.ok]
    order = ("fail", "error", "timeout", "todo", "blocked")
    return min(unfinished, key=lambda r: order.index(r.status), default=None)


def overall_colour(results) -> str:
    statuses = {r.status for r in results}
    if statuses == {"pass"}:
        return GREEN
    return RED if statuses & {"fail", "error", "timeout"} or not statuses else AMBER


def mark(result, colour: bool = False) -> str:
    """The sign of a result's status, for a terminal."""
    sign, tone = MARKS[result.status], COLOURS[result.status]
    return f"{TERMINAL[tone]}{sign}\033[0m" if colour else sign


def legend() -> str:
    """What the signs mean, in one line."""
    return "  ".join(f"{sign} {WORDS.get(status, status)}" for status, sign in MARKS.items())


def as_text(lab, results, colour: bool = False, next_step: str = "") -> str:
    """For a terminal and for `repr`. With `colour`, the marks and the headline carry terminal colours."""
    lines = []
    groups = by_exercise(results)
    for exercise, group in groups.items():
        shared = _shared_message(group)
        if len(groups) > 1:
            earned, points = score(group)
            lines.append(f"{exercise}  {earned:g}/{points:g}" + (f"  {shared}" if shared else ""))
        elif shared:
            lines.append(shared)
        said = set()
        for result in group:
            lines.append(f"  {mark(result, colour)} {result.title}")
            if not result.ok and not shared:
                message = result.message or result.status
                text = "(the same)" if message in said else message
                said.add(message)
                lines += ["      " + line for line in text.splitlines()]
        if any(result.status in ("fail", "error", "timeout") for result in group):
            lines.append(f"  hints, one at a time: flipbook hint {lab.id} {exercise}")
    last = headline(lab, results)
    lines.append(f"{TERMINAL[overall_colour(results)]}{last}\033[0m" if colour else last)
    return "\n".join(lines + ([next_step] if next_step else []))


def as_html(lab, results, next_step: str = "", library: tuple[str, str] | None = None) -> str:
    """For a notebook: a headline with the points, one row per test, the message, a folded hint, the pictures.

    Args:
        lab: the lab.
        results: of its tests.
        next_step: the line at the end of a pass.
        library: name and text of the library's own version, shown folded.
    """
    tone = overall_colour(results)
    parts = [f'<div class="flipbook-check" style="{BOX.format(colour=tone)}">']
    parts.append(f'<div style="color:{tone};font-weight:600">{html.escape(headline(lab, results))}</div>')
    groups = by_exercise(results)
    for exercise, group in groups.items():
        shared = _shared_message(group)
        if len(groups) > 1:
            earned, points = score(group)
            name = f"<b><code>{html.escape(exercise)}</code></b>"
            parts.append(f'<div style="margin-top:8px">{name} {earned:g} of {points:g}</div>')
        if shared:
            parts.append(f'<div style="{SHARED}">{_code_spans(shared)}</div>')
        parts += [_row(result, alone=not shared) for result in group]
        if all(result.ok for result in group):
            parts += [_image(*picture) for result in group for picture in result.pictures][-1:]
    if library:
        summary = f"How the library does it: <code>{html.escape(library[0])}</code>"
        parts.append(
            f'<details style="{FOLD}"><summary>{summary}</summary><pre>{html.escape(library[1])}</pre></details>'
        )
    if next_step:
        parts.append(f'<div style="margin-top:6px">{_code_spans(next_step)}</div>')
    return "".join([*parts, "</div>"])


def note(text: str) -> str:
    """One sentence in the check's box, where there is no verdict."""
    return f'<div class="flipbook-check" style="{BOX.format(colour=AMBER)}">{_code_spans(text)}</div>'


def _row(result, alone: bool) -> str:
    """One test. Not `alone`: its message stands above, said once for the whole exercise."""
    tone = COLOURS[result.status]
    word = "" if result.ok or not alone else f' <i style="color:{tone}">{WORDS.get(result.status, result.status)}</i>'
    row = f'<div><b style="color:{tone}">{MARKS[result.status]}</b> {_code_spans(result.title)}{word}</div>'
    if result.ok or not alone:
        return row
    if result.message:
        row += f'<div style="{MESSAGE}">{html.escape(result.message)}</div>'
    row += "".join(_image(label, png) for label, png in result.pictures)
    if result.hint and result.status not in ("todo", "blocked"):
        row += f'<details style="margin-left:1.5em"><summary>A hint</summary>{_code_spans(result.hint)}</details>'
    return row


def _image(label: str, png: str) -> str:
    return f'<img alt="{html.escape(label)}" src="data:image/png;base64,{png}" style="{PICTURE}">'


def _shared_message(group) -> str:
    """The one message of an exercise whose tests all say the same, such as *not written yet*; else empty."""
    messages = {r.message for r in group}
    return (
        messages.pop() if len(group) > 1 and len(messages) == 1 and not any(r.ok or r.pictures for r in group) else ""
    )


def _code_spans(text: str) -> str:
    """Escaped text with `...` in a code font."""
    pieces = html.escape(text).split("`")
    if len(pieces) % 2 == 0:  # an odd backtick: leave them all
        return html.escape(text)
    return "".join(f"<code>{piece}</code>" if number % 2 else piece for number, piece in enumerate(pieces))
