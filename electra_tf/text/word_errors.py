# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Errors as people make them, put into correct text without any model.

They serve to measure and to calibrate what finds errors. Words are what white space separates;
where a script has no spaces between words, each character is one, with its combining marks.
"""

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import NamedTuple

from electra_tf.text.character_table import UNSPACED, UNSPACED_RANGES

CONFUSIONS = (
    "accept except",
    "advice advise",
    "affect effect",
    "an and",
    "are our",
    "bare bear",
    "board bored",
    "bought brought",
    "brake break",
    "breath breathe",
    "buy by",
    "chose choose",
    "coarse course",
    "complement compliment",
    "desert dessert",
    "fair fare",
    "fell feel",
    "form from",
    "hear here",
    "his is",
    "hole whole",
    "its it's",
    "knew new",
    "know now",
    "later latter",
    "lead led",
    "loose lose",
    "meat meet",
    "of off",
    "one won",
    "pair pear",
    "passed past",
    "peace piece",
    "personal personnel",
    "plain plane",
    "principal principle",
    "quiet quite",
    "right write",
    "role roll",
    "scene seen",
    "sight site",
    "steal steel",
    "than then",
    "their there they're",
    "thing think",
    "thorough through",
    "threw through",
    "to too two",
    "trail trial",
    "waist waste",
    "wander wonder",
    "weak week",
    "wear where",
    "weather whether",
    "were where",
    "which witch",
    "who's whose",
    "wood would",
    "your you're",
)
"""Words that are mistaken for each other; each of them is right somewhere else."""

FREQUENT_WORDS = tuple(
    "the of and to a in is it that for with as on was be by at from this have not are but".split()
)
"""What is inserted by mistake, as often as another word of the text is."""

_NEIGHBOURS = {
    "a": "qs", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj",
    "i": "uo", "j": "hk", "k": "jl", "l": "ko", "m": "n", "n": "bm", "o": "ip", "p": "o",
    "q": "wa", "r": "et", "s": "ad", "t": "ry", "u": "yi", "v": "cb", "w": "qe", "x": "zc",
    "y": "tu", "z": "x",
}  # fmt: skip
"""Letters side by side on a keyboard."""

_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""Which form of an ideograph is meant; they follow it."""
_MARKS = _SELECTORS + "".join(
    chr(code_point)
    for first, last in UNSPACED_RANGES
    for code_point in range(first, last + 1)
    if last < 0x3400 and unicodedata.category(chr(code_point))[0] == "M"
)
_CHARACTER = re.compile(f"[{UNSPACED}][{_MARKS}]*")
_WORD = re.compile(rf"{_CHARACTER.pattern}|[^\s{UNSPACED}]+")
_CORE = re.compile(r"\w(?:.*\w)?")
_PLAIN = re.compile(r"\w+(?:'\w+)?")
_LEAST_LETTERS = 4
"""A word that gets a typo has so many."""
_DISTANCE = 3
"""Two errors of a text begin so many words apart at least."""


class Corrupted(NamedTuple):
    """A text with errors.

    spans: the bytes (start, end) of each wrong word in UTF-8, in order. Of swapped words both are
    wrong, of a dropped word the one behind the gap.
    """

    text: str
    spans: tuple[tuple[int, int], ...]


def corrupted(text: str, kind: str, rng: random.Random) -> Corrupted:
    """A text with one error of a kind; the text itself, without spans, if it has no place for one.

    `corrupted("They lost their way.", "confusion", rng)` is ("They lost there way.", ((10, 15),))
    or has "they're" there.

    Args:
        text: words separated by white space, which stays as it is.
        kind: one of `KINDS`.
        rng: decides where and what; the same state gives the same error.

    Raises:
        ValueError: there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is expected to be one of {', '.join(KINDS)}, but is {kind!r}.")
    words = _WORD.findall(text)
    places = list(range(len(words)))
    rng.shuffle(places)
    for place in places:
        if found := KINDS[kind](words, place, rng):
            return _edited(text, {place: found})
    return Corrupted(text, ())


def corrupted_everywhere(text: str, rate: float, rng: random.Random) -> Corrupted:
    """A text with errors of all kinds, each kind alike probable.

    Args:
        text: as for `corrupted`.
        rate: the share of words at which an error begins, 0 to 1. It is not reached where a text
            has no place for an error of the kind that was drawn, and errors begin at least three
            words apart.
        rng: decides where and what.
    """
    words = _WORD.findall(text)
    orders = {kind: iter(rng.sample(range(len(words)), len(words))) for kind in KINDS}
    edits: dict[int, _Edit] = {}
    for _ in range(sum(rng.random() < rate for _ in words)):
        kind = rng.choice(list(KINDS))
        for place in orders[kind]:
            if any(near in edits for near in range(place - _DISTANCE + 1, place + _DISTANCE)):
                continue
            if found := KINDS[kind](words, place, rng):
                edits[place] = found
                break
    return _edited(text, edits)


class _Edit(NamedTuple):
    """So many words from a place on become others, of which some are wrong."""

    removed: int
    words: tuple[str, ...]
    wrong: tuple[int, ...]
    space: str = " "
    """Between the words, where there are more than before."""


def _edited(text: str, edits: dict[int, _Edit]) -> Corrupted:
    """The text with other words in some places; places count words."""
    bounds = [match.span() for match in _WORD.finditer(text)]
    parts: list[str] = []
    spans = []
    size = taken = 0  # bytes of the parts, characters of the text
    for place, edit in sorted(edits.items()):
        start, end = bounds[place]
        space = text[end : bounds[place + 1][0]] if edit.removed > 1 else edit.space
        pieces = [text[taken:start]]
        for number, word in enumerate(edit.words):
            pieces += [space] * (number > 0)
            before = size + _bytes(pieces)
            pieces.append(word)
            if number in edit.wrong:
                spans.append((before, before + _bytes([word])))
        parts += pieces
        size += _bytes(pieces)
        taken = bounds[place + edit.removed - 1][1]
    return Corrupted("".join([*parts, text[taken:]]), tuple(spans))


def _bytes(parts: Sequence[str]) -> int:
    return sum(len(part.encode()) for part in parts)


# ---- Kinds: what becomes of the words at a place, None if this kind of error cannot be there


def _confused(words: Sequence[str], place: int, rng: random.Random) -> _Edit | None:
    """Another word that is mistaken for this one: their, there. Another character of the text."""
    if _is_character(words[place]):
        others = _characters(words, besides=words[place])
        return _Edit(1, (rng.choice(others),), (0,)) if others else None
    prefix, core, suffix = _parts(words[place])
    others = _CONFUSED_WITH.get(core.lower())
    if not others:
        return None
    return _Edit(1, (prefix + _cased(rng.choice(others), core) + suffix,), (0,))


def _inserted(words: Sequence[str], place: int, rng: random.Random) -> _Edit | None:
    """A word too many in front of this one, a frequent one or another one of the text."""
    if place == 0:
        return None
    if _is_character(words[place]):
        others = _characters(words, besides=words[place])
        return _Edit(1, (rng.choice(others), words[place]), (0,), "") if others else None
    if _is_character(words[place - 1]):
        return None
    near = {_parts(word)[1].lower() for word in words[place - 1 : place + 1]}
    own = [w for w in words if _PLAIN.fullmatch(w) and w.islower() and w not in near]
    frequent = [word for word in FREQUENT_WORDS if word not in near]
    chosen = rng.choice(own if own and rng.random() < 0.5 else frequent)
    return _Edit(1, (chosen, words[place]), (0,))


def _dropped(words: Sequence[str], place: int, rng: random.Random) -> _Edit | None:
    """This word is missing; the one behind it stands in the wrong place."""
    del rng
    if not _are_plain(words, place):
        return None
    return _Edit(2, (words[place + 1],), (0,))


def _swapped(words: Sequence[str], place: int, rng: random.Random) -> _Edit | None:
    """This word and the next one in the wrong order."""
    del rng
    if not _are_plain(words, place) or not _is_plain(words[place + 1]):
        return None
    return _Edit(2, (words[place + 1], words[place]), (0, 1))


def _mistyped(words: Sequence[str], place: int, rng: random.Random) -> _Edit | None:
    """A letter too few, twice, in the wrong place, or the one beside it on the keyboard.

    Of the scripts whose characters are words, a character twice.
    """
    if place and _is_character(words[place]):
        return _Edit(1, (words[place], words[place]), (1,), "")
    prefix, core, suffix = _parts(words[place])
    if len(core) < _LEAST_LETTERS or not core.isalpha():
        return None
    i = rng.randrange(1, len(core) - 1)
    before, letter, following, after = core[:i], core[i], core[i + 1], core[i + 2 :]
    ways = [before + following + after, before + 2 * letter + following + after]
    ways.append(before + following + letter + after)
    if letter in _NEIGHBOURS:
        ways.append(before + rng.choice(_NEIGHBOURS[letter]) + following + after)
    chosen = rng.choice([way for way in ways if way != core])
    return _Edit(1, (prefix + chosen + suffix,), (0,))


KINDS: dict[str, Callable[[Sequence[str], int, random.Random], _Edit | None]] = {
    "confusion": _confused,
    "inserted": _inserted,
    "dropped": _dropped,
    "swapped": _swapped,
    "typo": _mistyped,
}
"""Kind of error -> words, place and random numbers -> what becomes of the words there."""


def _parts(word: str) -> tuple[str, str, str]:
    """A word without the marks around it, and these: '"There,' is '"', "There", ","."""
    found = _CORE.search(word)
    if found is None:
        return word, "", ""
    return word[: found.start()], found.group(), word[found.end() :]


def _is_character(word: str) -> bool:
    """Whether it is one of a script without spaces."""
    return _CHARACTER.fullmatch(word) is not None


def _characters(words: Sequence[str], besides: str) -> list[str]:
    """All others of such a script in a text, as often as they are there."""
    return [word for word in words if word != besides and _is_character(word)]


def _is_plain(word: str) -> bool:
    """Whether it has no punctuation."""
    return _PLAIN.fullmatch(word) is not None or _is_character(word)


def _are_plain(words: Sequence[str], place: int) -> bool:
    """Whether this is a plain word, not the first one, and the next one is another of its kind."""
    if place == 0 or place + 1 >= len(words) or not _is_plain(words[place]):
        return False
    if _is_character(words[place]) != _is_character(words[place + 1]):
        return False
    return words[place].lower() != _parts(words[place + 1])[1].lower()


def _cased(word: str, model: str) -> str:
    """The word with the capitals of another one."""
    if len(model) > 1 and model.isupper():
        return word.upper()
    return word[0].upper() + word[1:] if model[0].isupper() else word


def _confused_with() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for group in CONFUSIONS:
        words = group.split()
        for word in words:
            found[word] = (*found.get(word, ()), *(w for w in words if w != word))
    return found


_CONFUSED_WITH = _confused_with()
"""Word -> the words that are mistaken for it."""
