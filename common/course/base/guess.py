"""What a person who mistyped a name may have meant."""

import difflib
from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean check?`, or nothing where no known name is near."""
    known = list(known)
    close = difflib.get_close_matches(name.casefold(), [one.casefold() for one in known], 1, cutoff=0.6)
    found = next((one for one in known if close and one.casefold() == close[0] and one != name), None)
    return f" Did you mean {found}?" if found else ""
