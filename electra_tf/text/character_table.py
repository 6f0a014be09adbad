# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""What each single character becomes in BERT's basic tokenization, as one lookup table.

The steps of the basic tokenizer (clean, space out CJK, lower-case, strip accents, split at
punctuation) look at one character at a time, except for the final sigma (see normalization.py). So
their composition is a table: code point -> code points, where a space separates words.

unicode_14.json has the classes of characters, generated from `unicodedata` and `str.lower` of
Python 3.11 (Unicode 14.0.0), so that neither the Python nor the ICU that happens to be installed
decides what a vocabulary's pieces are. A test compares it with `unicodedata`. Its items are
hexadecimal: `41` one code point, `41-5a` an inclusive range, `100-12e/2` every second code point of
it; of the mapping to lower case (without U+0130, which becomes two characters) they end in the
signed distance to the lower-case letter (`41-5a:+20`).
"""

import functools
import pathlib
import re
import sys
import typing
import unicodedata

import numpy as np

from electra_tf.files import read_json

RANGES_FILE = pathlib.Path(__file__).parent / "unicode_14.json"
# Ideographs of the CJK blocks, which BERT makes separate words (tokenization.py:251-258).
CJK_RANGES = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
UNSPACED_RANGES = (
    (0x0E00, 0x0FFF),  # Thai, Lao, Tibetan
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x2E80, 0x2FDF),  # radicals of ideographs
    (0x3005, 0x3007),
    (0x3041, 0x309F),  # Hiragana
    (0x30A1, 0x30FA),  # Katakana
    (0x30FC, 0x30FF),
    (0x31F0, 0x31FF),
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAA7F),
    (0xFF66, 0xFF9F),
    *CJK_RANGES,
)
"""Scripts that are written without spaces between words."""
UNSPACED = "".join(f"{chr(first)}-{chr(last)}" for first, last in UNSPACED_RANGES)
"""What stands between the brackets of a class of a regular expression."""
# Symbols of ASCII that count as punctuation whatever their category (tokenization.py:331-333).
ASCII_PUNCTUATION_RANGES = ((0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x7E))

# The table covers the code points below DENSE_END, one slot for every code point between, the
# variation selectors of plane 14 (category Mn), and one slot for everything after.
DENSE_END = 0x3134B
SUPPLEMENT_START, SUPPLEMENT_END = 0xE0100, 0xE01F0
NUM_SLOTS = DENSE_END + 1 + (SUPPLEMENT_END - SUPPLEMENT_START) + 1
SHARED_SLOTS = (DENSE_END, NUM_SLOTS - 1)
_SLOTS = np.array([*range(DENSE_END), 0, *range(SUPPLEMENT_START, SUPPLEMENT_END), 0], np.int32)
"""The code point of each slot; a shared one holds what becomes of 0."""
_NOTHING, _LONGEST_EXPANSION = -1, 3

_ITEM = re.compile(
    r"(?P<first>[0-9a-f]+)(-(?P<last>[0-9a-f]+))?(/(?P<step>\d))?(:(?P<shift>[+-][0-9a-f]+))?$"
)
_SPACE = ord(" ")
_ASCII_SPACES = tuple(map(ord, "\t\n\r "))
_MORE_WHITE_SPACE = (0x0B, 0x0C, 0x85, 0x2028, 0x2029)
"""White space of Unicode that cleaning takes for control characters."""
UNKNOWN = 0x7F
"""Stands for what no token has: cleaning removes this character from every text."""
_NEVER_IN_TOKENS = (0, UNKNOWN)
"""See `vocabulary_file.never_matches`."""


class CharacterTable(typing.NamedTuple):
    """Expansions of the slots 0 .. NUM_SLOTS - 1 (see `slot_of`), in ragged layout, int32."""

    code_points: np.ndarray
    row_splits: np.ndarray


@functools.cache
def code_points_of(name: str) -> frozenset[int]:
    """Returns the set of code points of a class of characters.

    CONTROL has the general categories C* (control, format, surrogate, private use, unassigned),
    SEPARATOR Zs, Zl and Zp, PUNCTUATION P*, NONSPACING_MARK Mn, which is what stripping accents
    removes. CASED are letters with case, next to which a capital sigma is or is not final
    (`str.lower`), CASE_IGNORABLE the characters that this rule looks across.
    """
    return frozenset(np.flatnonzero(_is_in_class(name)).tolist())


@functools.cache
def _is_in_class(name: str) -> np.ndarray:
    """Whether each code point is of a class of characters, bool [code points of Unicode]."""
    found = np.zeros(sys.maxunicode + 1, bool)
    for covered, _ in _items(name):
        found[covered.start : covered.stop : covered.step] = True
    return found


@functools.cache
def lower_case_mapping() -> dict[int, tuple[int, ...]]:
    """Returns {code point: code points of its lower-case form} of all characters that change."""
    mapping = {0x130: (0x69, 0x307)}  # the only letter that becomes two characters
    for covered, shift in _items("LOWER_CASE"):
        mapping.update((code_point, (code_point + shift,)) for code_point in covered)
    return mapping


@functools.cache
def _stored_ranges() -> dict[str, list[str]]:
    return read_json(RANGES_FILE)


def _items(name: str):
    """Yields (range of code points, shift or None) of one key of the file."""
    for item in " ".join(_stored_ranges()[name]).split():
        match = _ITEM.match(item)
        first = int(match["first"], 16)
        last = int(match["last"] or match["first"], 16)
        shift = match["shift"] and int(match["shift"], 16)
        yield range(first, last + 1, int(match["step"] or 1)), shift


@functools.cache
def character_table(
    do_lower_case: bool,
    strip_accents: bool,
    split_ideographs: bool = True,
    split_punctuation: bool = True,
    clean: bool = True,
) -> CharacterTable:
    """Returns the `CharacterTable` of some settings.

    split_ideographs, split_punctuation: whether such characters are separate words.
    clean: whether control characters are removed. If not, a shared slot holds one code point that
        stands for the character itself, whichever it is, and what no token has becomes `UNKNOWN`.
    """
    settings = do_lower_case, strip_accents, split_ideographs, split_punctuation, clean
    # Most characters become nothing, themselves, or a word of their own. Only the others are
    # expanded one by one, which for all of them took as long as building a model.
    rows = np.full((NUM_SLOTS, _LONGEST_EXPANSION), _NOTHING, np.int32)
    rows[:, 0] = _SLOTS
    if split_ideographs:
        ideographs = np.any([(a <= _SLOTS) & (b >= _SLOTS) for a, b in CJK_RANGES], axis=0)
        rows[ideographs, 1] = rows[ideographs, 0]
        rows[np.ix_(ideographs, [0, 2])] = _SPACE
    if clean:
        rows[slots_in_class("CONTROL")] = _NOTHING
    special = _is_special()
    if strip_accents:
        special = special | _is_composed()
    for slot in np.flatnonzero(special).tolist():
        expansion = _expand(int(_SLOTS[slot]), *settings)
        rows[slot] = _NOTHING
        rows[slot, : len(expansion)] = expansion
    is_there = rows != _NOTHING
    row_splits = np.concatenate([[0], np.cumsum(is_there.sum(axis=1))]).astype(np.int32)
    return CharacterTable(rows[is_there], row_splits)


@functools.cache
def slots_in_class(name: str) -> np.ndarray:
    """Returns a bool array [NUM_SLOTS]: which slots hold a character of a class."""
    return _is_in_class(name)[_SLOTS]


@functools.cache
def _is_special() -> np.ndarray:
    """The slots whose characters `_expand` may change otherwise than all of a class, bool."""
    special = np.isin(_SLOTS, [*_ASCII_SPACES, *_MORE_WHITE_SPACE, *_NEVER_IN_TOKENS, 0xFFFD])
    special |= np.isin(_SLOTS, list(lower_case_mapping()))
    for name in ("SEPARATOR", "NONSPACING_MARK", "PUNCTUATION"):
        special |= slots_in_class(name)
    for first, last in ASCII_PUNCTUATION_RANGES:
        special |= (first <= _SLOTS) & (last >= _SLOTS)
    return special


@functools.cache
def _is_composed() -> np.ndarray:
    """The slots of characters that have accents to strip, or other parts, bool."""
    is_decomposed = functools.partial(unicodedata.is_normalized, "NFD")
    return ~np.fromiter(map(is_decomposed, map(chr, _SLOTS.tolist())), bool, NUM_SLOTS)


def _expand(
    code_point: int,
    do_lower_case: bool,
    strip_accents: bool,
    split_ideographs: bool,
    split_punctuation: bool,
    clean: bool,
):
    if code_point in _ASCII_SPACES or _is_in_class("SEPARATOR")[code_point]:
        return (_SPACE,)
    if not clean and code_point in _MORE_WHITE_SPACE:
        return (_SPACE,)
    if not clean and code_point in _NEVER_IN_TOKENS:
        return (UNKNOWN,)
    if clean and (code_point == 0xFFFD or _is_in_class("CONTROL")[code_point]):
        return ()
    result = (code_point,)
    if do_lower_case:
        result = lower_case_mapping().get(code_point, result)
    if strip_accents:
        is_mark = _is_in_class("NONSPACING_MARK")
        # Canonical decompositions of assigned characters are the same in all Unicode versions.
        decomposed = unicodedata.normalize("NFD", "".join(map(chr, result)))
        result = tuple(ord(c) for c in decomposed if not is_mark[ord(c)])
    if split_ideographs and is_cjk(code_point):
        return (_SPACE, *result, _SPACE)
    if not split_punctuation:
        return result
    spaced = ()
    for part in result:
        spaced += (_SPACE, part, _SPACE) if is_punctuation(part) else (part,)
    return spaced


def is_cjk(code_point: int) -> bool:
    """Returns whether BERT takes the character for an ideograph, which is a separate word."""
    return any(first <= code_point <= last for first, last in CJK_RANGES)


def is_punctuation(code_point: int) -> bool:
    """Returns whether BERT takes the character for punctuation, which is a separate word."""
    if any(first <= code_point <= last for first, last in ASCII_PUNCTUATION_RANGES):
        return True
    return bool(_is_in_class("PUNCTUATION")[code_point])
