"""`flipbook doctor`: the state of this installation, a line a part."""

import json

import click

from common.course.setup.doctor import Finding, examine

MARKS = {"ok": ("ok     ", "green"), "warning": ("warning", "yellow"), "problem": ("PROBLEM", "red")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> None:
    """Look at this installation: what works, what is missing, and what to do about it.

    The exit code is 0 when nothing is a problem (a warning is not one).
    """
    findings = examine()
    healthy = all(finding.status != "problem" for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": healthy, "findings": [finding.as_dict() for finding in findings]}, indent=2))
    else:
        for finding in findings:
            click.echo(line(finding))
        verdict = "This installation is in order." if healthy else "Mend what is marked PROBLEM and run this again."
        click.echo(f"\n{verdict}")
    context.exit(0 if healthy else 1)


def line(finding: Finding) -> str:
    """The finding as one line, and what to do on a second."""
    mark, color = MARKS[finding.status]
    text = f"{click.style(mark, fg=color)}  {finding.name:<12} {finding.detail}"
    return f"{text}\n{'':9}{'':<13}-> {finding.advice}" if finding.advice else text
