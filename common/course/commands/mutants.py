"""`flipbook mutants`: prove the graders with the banks of wrong and right answers."""

import json
import os
import sys
import time
from pathlib import Path

import click

from common.cli.user_path import UserPath
from common.course.banks import collect
from common.course.base import paths
from common.course.base.paths import Lab
from common.course.base.quick_start import uncollected
from common.course.source import lab_source
from common.progress import progress_bar


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option(
    "--bank", type=UserPath(path_type=Path), help="Try the answers in this folder instead of the course's own."
)
@click.option("--exercise", metavar="NAME", help="Try only the answers of this exercise.")
@click.option(
    "--seed", default=0, show_default=True, help="Seed of the tests' random inputs: no verdict depends on it."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--each", is_flag=True, help="With --json: an object on a line of its own for each lab, when it is done.")
def mutants(ids, bank, exercise, seed, as_json, each):
    """Prove the graders: every wrong answer must fail its tests, every right one must pass.

    Without an ID every built lab is proven. Exits 0 only when every wrong answer is killed, no right one is turned
    away, and the banks themselves are in order.
    """
    if each and not as_json:
        raise click.UsageError("--each is about --json: give both.")
    with uncollected():  # loads torch and pytest: after the arguments have been understood
        from common.course.banks.mutants import prove

    labs = [lab_source.find_lab(lab_id) for lab_id in ids] or paths.all_labs()
    found = collect.strangers_bank(bank, labs) if bank else collect.own_bank(labs)
    if exercise:
        found = collect.of_exercise(exercise, labs, found)
    disorder = [] if bank else disorders(labs, found, exercise)
    verdicts, seconds = [], {}
    with progress_bar(total=len(found), unit="answer", desc="proving") as bar:
        for lab in dict.fromkeys(answer.lab for answer in found):
            started, before = time.monotonic(), core_seconds()
            here = [answer for answer in found if answer.lab == lab]
            judged = prove(lab, here, seed=seed, on_answer=bar.update)
            verdicts += judged
            seconds[lab.id] = round(time.monotonic() - started, 2)
            if each:
                own = [] if bank else disorders([lab], here, exercise)
                line = summarise([lab], judged, own, {lab.id: seconds[lab.id]}, exercise)
                click.echo(json.dumps(line | {"core_seconds": round(core_seconds() - before, 2)}))

    summary = summarise(labs, verdicts, disorder, seconds, exercise)
    if not each:
        click.echo(json.dumps(summary, indent=1) if as_json else as_text(summary, verdicts))
    sound = summary["kill_rate"] == 1 and summary["false_alarms"] == 0 and not summary["problems"]
    sys.exit(0 if sound else 1)


def disorders(labs: list[Lab], answers: list, exercise: str | None) -> list[str]:
    """What is missing from the course's own banks of these labs, and the files in them that belong to no exercise."""
    return [*collect.strays(labs), *collect.shortages(labs, answers, exercise)]


def core_seconds() -> float:
    """Processor seconds that this process and its ended children have used."""
    return sum(os.times()[:4])


def summarise(
    labs: list[Lab], verdicts: list, disorder: list[str], seconds: dict[str, float], only: str | None = None
) -> dict:
    """All that is known, as plain data. A wrong answer that cannot be tried is not killed; a right one is an alarm."""
    rows = []
    for lab in labs:
        for exercise in [e for e in lab_source.exercises(lab) if only in (None, e.name)]:
            here = [v for v in verdicts if (v.answer.lab, v.answer.exercise) == (lab, exercise.name)]
            wrong = [v for v in here if v.answer.kind == "wrong"]
            right = [v for v in here if v.answer.kind == "right"]
            rows.append(
                {
                    "lab": lab.id,
                    "exercise": exercise.name,
                    "wrong": len(wrong),
                    "killed": sum(v.good for v in wrong),
                    "right": len(right),
                    "passed": sum(v.good for v in right),
                    "survivors": [v.answer.path.name for v in wrong if not v.good],
                    "false_alarms": [v.answer.path.name for v in right if not v.good],
                }
            )
    wrong, killed = sum(row["wrong"] for row in rows), sum(row["killed"] for row in rows)
    nameless = [f"{v.answer.path}: {v.problem}" for v in verdicts if not v.answer.kind]
    return {
        "kill_rate": killed / wrong if wrong else 1.0,
        "false_alarms": sum(row["right"] - row["passed"] for row in rows),
        "problems": [*disorder, *nameless],
        "seconds": seconds,
        "exercises": rows,
        "answers": [verdict_as_json(v) for v in verdicts],
    }


def verdict_as_json(verdict) -> dict:
    answer = verdict.answer
    return {
        "lab": answer.lab.id,
        "exercise": answer.exercise,
        "file": answer.path.name,
        "kind": answer.kind,
        "misconception": answer.misconception,
        "good": verdict.good,
        "problem": verdict.problem,
        "missing": verdict.missing,
        "findings": [dict(zip(("status", "test", "message"), finding)) for finding in verdict.findings],
        "seconds": round(verdict.seconds, 2),
    }


def as_text(summary: dict, verdicts: list) -> str:
    """A table with one row per exercise, then every answer whose verdict is wrong, with what the tests found."""
    width = max([8, *(len(row["exercise"]) for row in summary["exercises"])])
    lines = [f"{'lab':6}{'exercise':{width}}  wrong killed  right passed"]
    for row in summary["exercises"]:
        counts = f"{row['wrong']:5} {row['killed']:6}  {row['right']:5} {row['passed']:6}"
        lines.append(f"{row['lab']:6}{row['exercise']:{width}}  {counts}")
    for verdict in verdicts:
        if not verdict.good and verdict.answer.kind:
            lines += ["", *_account(verdict)]
    lines += ["", *(f"bank: {problem}" for problem in summary["problems"])]
    spent = ", ".join(f"{lab_id} in {taken:.1f} s" for lab_id, taken in summary["seconds"].items()) or "no answers"
    lines.append(f"kill rate {summary['kill_rate']:.3g}, false alarms {summary['false_alarms']} ({spent})")
    return "\n".join(lines)


def _account(verdict) -> list[str]:
    answer = verdict.answer
    called = "FALSE ALARM" if answer.kind == "right" else "SURVIVOR"
    lines = [f"{called} {answer.lab.id} {answer.name}: {verdict.problem}"]
    if answer.misconception:
        lines.append(f"  it says of itself: {answer.misconception}")
    for status, test, message in verdict.findings:
        lines.append(f"  {status}: {test}")
        lines += [f"      {line}" for line in message.splitlines()]
    return lines
