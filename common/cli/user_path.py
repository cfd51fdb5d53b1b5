"""Paths as people type them."""

import os

import click


class UserPath(click.Path):
    """`click.Path` in which `~` is the home folder, also where the shell left it: `--out=~/grades`."""

    def convert(self, value, param, ctx):
        return super().convert(os.path.expanduser(value), param, ctx)
