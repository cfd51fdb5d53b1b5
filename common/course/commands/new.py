"""`flipbook new`: a lab that builds, to be replaced part by part."""

import click

from common.course.base import paths


@click.command()
@click.argument("lab_id", metavar="ID")
@click.argument("name", metavar="[NAME]", required=False)
def new(lab_id: str, name: str | None) -> None:
    """Start lab ID, which is planned in the syllabus, such as 05.3.

    Its NAME, such as causal_vae, is the one of the syllabus, and another is refused. Writes a source with all its
    parts, a grader, banks of answers, a calibration, and the rows in the syllabus and on the phase's page. It builds at
    once, its solution passes, and its starter fails. CONTRIBUTING.md says what next.
    """
    from common.course.building import scaffold

    made = scaffold.create(lab_id, name)
    click.echo(f"Lab {made.lab.id} is here, with three toy exercises to replace:")
    for path in made.files:
        click.echo(f"  {path.relative_to(paths.root())}")
    if made.missing_row:
        click.echo(f"The page of its phase has no row for {made.lab.id} that says `planned`: add one by hand.")
    click.echo("Next:")
    for command in (f"build {made.lab.id}", f"check {made.lab.id} --target labs", f"mutants {made.lab.id}"):
        click.echo(f"  flipbook {command}")
