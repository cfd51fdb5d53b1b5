"""Keys to actions. A game names its actions; the page holds buttons down; one action comes out for each frame."""

from dataclasses import dataclass

from common.play.errors import PlayError

# What a keyboard calls the keys (KeyboardEvent.code) that go with a word. The first is the one that the page names.
CODES = {
    "left": ("ArrowLeft", "KeyA"),
    "right": ("ArrowRight", "KeyD"),
    "jump": ("ArrowUp", "Space", "KeyW"),
    "up": ("ArrowUp", "KeyW"),
    "down": ("ArrowDown", "KeyS"),
    "fire": ("Space",),
    "attack": ("Space",),
}
DIGITS = tuple(f"Digit{number}" for number in (*range(1, 10), 0))  # for the words that are not in the table
OPPOSITES = {"left": "right", "right": "left", "up": "down", "down": "up"}
MOST_BUTTONS = 32  # the bits of a message


@dataclass(frozen=True)
class Button:
    """Something to hold down.

    Attributes:
        word: what it does, in the game's words.
        codes: the keyboard's names of its keys; there may be none.
        opposite: the place of the button that it releases, or None.
    """

    word: str
    codes: tuple[str, ...]
    opposite: int | None = None


class Controls:
    """The buttons of a game, and the action that each set of held buttons means.

    `jump left` is no button of its own if `jump` and `left` are actions too. Action 0 is what happens with no key.

    Args:
        actions: the game's names of its actions.

    Raises:
        PlayError: the actions need more than 32 buttons.
    """

    def __init__(self, actions: tuple[str, ...]):
        single = [name for name in actions[1:] if not _is_combination(name, actions)]
        if len(single) > MOST_BUTTONS:
            raise PlayError(f"the player has room for {MOST_BUTTONS} buttons, and this game needs {len(single)}")
        self._masks = [0]
        for name in actions[1:]:
            words = [name] if name in single else name.split()
            self._masks.append(sum(1 << single.index(word) for word in set(words)))
        self.buttons = _buttons(single)

    def action(self, held: int) -> int:
        """The action that uses most of the held buttons, and none that is not held.

        Args:
            held: bit k is set while button k is held.
        """
        possible = [action for action, mask in enumerate(self._masks) if mask & ~held == 0]
        return max(possible, key=lambda action: (self._masks[action].bit_count(), -action))


def _is_combination(name: str, actions: tuple[str, ...]) -> bool:
    words = name.split()
    return len(words) > 1 and all(word in actions[1:] for word in words)


def _buttons(names: list[str]) -> tuple[Button, ...]:
    free, digits, buttons = {code for codes in CODES.values() for code in codes}, list(DIGITS), []
    for name in names:
        word = next((word for word in name.lower().split() if free & set(CODES.get(word, ()))), None)
        codes = tuple(code for code in CODES.get(word, ()) if code in free)
        if not codes and digits:
            codes = (digits.pop(0),)
        free -= set(codes)
        opposite = OPPOSITES.get(name)
        buttons.append(Button(name, codes, names.index(opposite) if opposite in names else None))
    return tuple(buttons)
