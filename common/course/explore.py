"""Something to drag: a slider in a live notebook, every position drawn side by side where no slider can live."""

import os
from collections.abc import Callable, Sequence


def explore(draw: Callable, **choices: Sequence):
    """Let a learner move one value and see what `draw(name=value)` returns.

    In a live notebook this is a slider. A stored page (the built notebook, a web view) has no Python behind it, so
    while notebooks are built and tested every choice is drawn instead, one under the other.

    Args:
        draw: called with one keyword; returns anything that a notebook can display.
        choices: exactly one name with the values that it can take, in order, such as `fps=[24, 12, 8]`.

    Raises:
        ValueError: not exactly one name was given, or it has no values.
    """
    if len(choices) != 1 or not all(choices.values()):
        raise ValueError(f"explore takes one name with a list of values, such as fps=[24, 12, 8]; got {choices}")
    (name, values), *_ = choices.items()
    if os.environ.get("FLIPBOOK_STRICT"):
        from IPython.display import Markdown, display

        for value in values:
            display(Markdown(f"**{name} = {value}**"), draw(**{name: value}))
        return
    import ipywidgets

    slider = ipywidgets.SelectionSlider(options=list(values), description=name, continuous_update=False)
    ipywidgets.interact(draw, **{name: slider})
