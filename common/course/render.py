"""Results as text and as static HTML: no widgets, inline styles, so that they survive saving."""

import html

from common.course.results import score

MARKS = {"pass": "✔", "fail": "✘", "todo": "○", "blocked": "⊘", "error": "!", "timeout": "⧖"}
# Each colour reads on white and on JupyterLab's dark background (#111).
COLOURS = {"pass": "#2e9b51", "fail": "#e5534b", "todo": "#b8860b", "blocked": "#8b949e", "error": "#e5534b", "timeout": "#e5534b"}


def headline(lab, results) -> str:
    earned, points = score(results)
    passed = sum(r.ok for r in results)
    return f"Lab {lab.id}: {passed} of {len(results)} tests pass, {earned:g} of {points:g} points"


def as_text(lab, results, colour: bool = False, next_step: str = "") -> str:
    lines = []
    for result in results:
        lines.append(f"{MARKS[result.status]} {result.title}")
        if not result.ok:
            lines += ["    " + line for line in result.message.splitlines()]
    return "\n".join([*lines, headline(lab, results), *([next_step] if next_step else [])])


def as_html(lab, results, next_step: str = "") -> str:
    rows = "".join(f"<div>{MARKS[r.status]} {html.escape(r.title)}<div>{html.escape(r.message)}</div></div>" for r in results)
    return f'<div class="flipbook-check"><b>{html.escape(headline(lab, results))}</b>{rows}{html.escape(next_step)}</div>'
