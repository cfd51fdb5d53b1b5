"""`evaluate`: measure shipped weights again, and say where the card differs."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from common.cli.user_path import UserPath
from common.zoo import shelf
from common.zoo.card import differences, file_facts, missed_bars, read_card, write_card
from common.zoo.settings import pick_setting


@click.command()
@click.argument("name")
@click.option("--setting", default="small", show_default=True, help="How much to measure: small or full.")
@click.option("--weights", type=UserPath(file_okay=False), help="Measure these in place of the shipped ones.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--update", is_flag=True, help="Write what was found onto the card.")
def evaluate(name, setting, weights, as_json, update):
    """Recompute every number on the card of NAME, and say where it differs. Exit code 1 if it does."""
    if update and weights:
        raise click.ClickException("a card is about the shipped weights: --update and --weights exclude each other")
    try:
        place = shelf.weights_folder(weights or name)
        card = read_card(shelf.folder(name))
        measures = shelf.measures(name)
        pick_setting(measures.SETTINGS, setting)  # a wrong one is refused before weights are loaded
        found = measured(measures, place, setting)
        facts = file_facts(place)
        wrong = differences(card.measured.get(setting, {}), found) + differences(card.weights, facts)
        if update:
            card.measured[setting], card.weights = found, facts
            write_card(place, card)
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from error
    missed = missed_bars(card, found)
    if as_json:
        document = {"name": name, "setting": setting, "measured": found, "weights": facts}
        document |= {"differences": [asdict(one) for one in wrong], "missed_bars": missed}
        click.echo(json.dumps(document, indent=1))
    else:
        say(name, setting, found, wrong, missed, updated=update)
    if wrong and not update and not weights:
        sys.exit(1)


def measured(measures, place: Path, setting: str) -> dict[str, float]:
    """The numbers, with a progress bar where someone looks."""
    model = shelf.from_pretrained(place)
    with click.progressbar(
        length=1000, label=f"measuring, {setting}", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        return measures.measure(model, setting, lambda part: bar.update(round(1000 * part) - bar.pos))


def say(name: str, setting: str, found: dict, wrong: list, missed: list[str], updated: bool) -> None:
    """The same for people."""
    click.echo(f"{name}, setting {setting}")
    for measure, value in found.items():
        click.echo(f"  {measure:28s}{value:10.4g}")
    for sentence in missed:
        click.echo(f"below its bar: {sentence}")
    if not wrong:
        click.echo("The card says the same.")
        return
    click.echo("The card was brought up to date:" if updated else "The card differs:")
    for difference in wrong:
        click.echo(f"  {difference}")
