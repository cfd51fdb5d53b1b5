"""Text to numbers as BERT wants them: words, then the longest pieces of each that the vocabulary knows."""

import unicodedata
from collections.abc import Iterator
from pathlib import Path

PAD, UNKNOWN, BEGIN, END = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
LONGEST_WORD = 100  # characters; a longer one is unknown


class WordPiece:
    """The tokenizer of BERT's uncased models (Devlin et al. 2018, arXiv:1810.04805; Wu et al. 2016, 1609.08144, 4.1).

    Args:
        vocabulary: the pieces, each one's number being its place; a piece that goes on inside a word begins with `##`.
        max_length: tokens, the two at the ends included; what is beyond is cut off.

    Raises:
        ValueError: the vocabulary is without one of the pieces that every text needs.
    """

    def __init__(self, vocabulary: list[str], max_length: int = 128):
        self.numbers = {piece: number for number, piece in enumerate(vocabulary)}
        missing = [piece for piece in (PAD, UNKNOWN, BEGIN, END) if piece not in self.numbers]
        if missing:
            raise ValueError(f"the vocabulary has no {', '.join(missing)}")
        self.max_length = max_length

    @classmethod
    def from_file(cls, path: Path, max_length: int = 128) -> "WordPiece":
        """A vocabulary with a piece a line."""
        return cls(path.read_text(encoding="utf-8").split("\n")[:-1], max_length)

    def __call__(self, text: str) -> list[int]:
        """The numbers of a text's tokens, between those for its beginning and its end."""
        pieces = [piece for word in words(text) for piece in self.pieces(word)][: self.max_length - 2]
        return [self.numbers[piece] for piece in (BEGIN, *pieces, END)]

    def pieces(self, word: str) -> list[str]:
        """A word in its pieces, each the longest there is at its place; if a rest has none, the word is unknown."""
        found, start = [], 0
        while start < len(word) <= LONGEST_WORD:
            prefix = "##" if start else ""
            ends = (end for end in range(len(word), start, -1) if prefix + word[start:end] in self.numbers)
            end = next(ends, None)
            if end is None:
                return [UNKNOWN]
            found.append(prefix + word[start:end])
            start = end
        return found if found else [UNKNOWN]


def words(text: str) -> Iterator[str]:
    """Lower-case words without accents; each mark of punctuation, and each Chinese character, is a word by itself."""
    kept = "".join(" " if c.isspace() else c for c in text if not is_invisible(c))
    plain = "".join(c for c in unicodedata.normalize("NFD", kept.lower()) if unicodedata.category(c) != "Mn")
    word = ""
    for c in plain:
        alone = is_punctuation(c) or is_chinese(c)
        if (alone or c == " ") and word:
            yield word
            word = ""
        if alone:
            yield c
        elif c != " ":
            word += c
    if word:
        yield word


def is_invisible(c: str) -> bool:
    """Control characters, but not tabs and ends of lines; and what stands for a character that was lost."""
    return (unicodedata.category(c).startswith("C") and c not in "\t\n\r") or c == "\ufffd"


def is_punctuation(c: str) -> bool:
    """Any visible ASCII character that is neither a letter nor a digit, and Unicode's punctuation."""
    return unicodedata.category(c).startswith("P") or ("!" <= c <= "~" and not c.isalnum())


def is_chinese(c: str) -> bool:
    """The blocks of CJK ideographs."""
    blocks = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF), (0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F),
              (0x2B820, 0x2CEAF), (0xF900, 0xFAFF), (0x2F800, 0x2FA1F))  # fmt: skip
    return any(first <= ord(c) <= last for first, last in blocks)
