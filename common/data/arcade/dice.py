"""A random number generator whose whole memory is one number, so that a game's state can hold it."""

MASK = 2**64 - 1
GAMMA = 0x9E3779B97F4A7C15


def scrambled(number: int) -> int:
    """Steele, Lea and Flood 2014: the output function of SplitMix64, a bijection of the 64-bit numbers."""
    number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & MASK
    return number ^ (number >> 31)


class Dice:
    """SplitMix64. The same key gives the same numbers on any machine.

    Args:
        key: whole numbers; other keys give other, independent numbers.
    """

    def __init__(self, *key: int):
        self.state = 0
        for number in key:
            self.state = scrambled((self.state + (number + 1) * GAMMA) & MASK)

    def bits(self) -> int:
        """A whole number from 0 to 2**64 - 1."""
        self.state = (self.state + GAMMA) & MASK
        return scrambled(self.state)

    def below(self, count: int) -> int:
        """A whole number from 0 to `count - 1`, each as likely as the others (to within 2**-32)."""
        return (self.bits() >> 32) * count >> 32

    def one_in(self, count: int) -> bool:
        """True once in `count` times."""
        return self.below(count) == 0

    def choice(self, options):
        """One of a sequence, each as likely as the others."""
        return options[self.below(len(options))]

    def sample(self, options, count: int) -> list:
        """`count` different ones of a sequence, in random order."""
        left = list(options)
        return [left.pop(self.below(len(left))) for _ in range(count)]
