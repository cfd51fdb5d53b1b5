"""Something to drag: a slider in a live notebook, every position drawn side by side where no slider can live."""

import inspect
import os
from collections.abc import Callable, Sequence


def explore(draw: Callable, **choices: Sequence):
    """Let a learner move one value and see what `draw(name=value)` returns.

    In a live notebook this is a slider. A stored page (the built notebook, a web view) has no Python behind it, so
    while notebooks are built and tested every choice is drawn instead, one under the other.

    Args:
        draw: a function of one argument, called by keyword; returns anything that a notebook can display.
        choices: exactly one name with the values that it can take, in order, such as `fps=[24, 12, 8]`.

    Raises:
        ValueError: not exactly one name was given, it has no values, or `draw` takes anything else beside it (in a live
            notebook an argument with a default would grow a slider of its own).
    """
    if len(choices) != 1 or not all(choices.values()):
        raise ValueError(f"explore takes one name with a list of values, such as fps=[24, 12, 8]; got {choices}")
    (name, values), *_ = choices.items()
    taken = list(inspect.signature(draw).parameters)
    if taken != [name]:
        raise ValueError(f"explore({name}=...) draws with a function of `{name}` alone; this one takes {taken}")
    if os.environ.get("FLIPBOOK_STRICT"):
        from IPython.display import Markdown, display

        for value in values:
            display(Markdown(f"**{name} = {value}**"), draw(**{name: value}))
        return
    import ipywidgets

    slider = ipywidgets.SelectionSlider(options=list(values), description=name, continuous_update=False)
    ipywidgets.interact(draw, **{name: slider})
