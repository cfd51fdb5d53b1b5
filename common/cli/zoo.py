"""`zoo`: which weights are shipped."""

import json

import click

from common.zoo import shelf
from common.zoo.card import read_card


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def zoo(as_json):
    """List the weights that are shipped, and the recipes for them."""
    rows = [row(name) for name in shelf.names()]
    if as_json:
        click.echo(json.dumps(rows, indent=1))
        return
    for entry in rows:
        size = f"{entry['bytes'] / 1e6:.1f} MB" if entry["bytes"] else "recipe only"
        click.echo(f"  {entry['name']:16s}{size:>12s}  {entry['what']}")
    click.echo(
        "\nHow each was made and how good it is: card.md in its folder. To measure again: flipbook evaluate NAME"
    )


def row(name: str) -> dict:
    """What the list says of a name."""
    place = shelf.folder(name)
    what = read_card(place).what if (place / "card.json").is_file() else "no card yet"
    size = (place / shelf.WEIGHTS).stat().st_size if shelf.has_weights(name) else None
    return {"name": name, "what": what, "bytes": size, "folder": str(place)}
