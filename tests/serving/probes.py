# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Texts on which an export is compared with its model: ordinary, hostile, empty, too long."""

TEXTS = (
    "The quick brown fox jumps over the lazy dog.",
    "",
    " \t\n ",
    "Don't panic: 3.14% of U.S. dollars (€5,000) & more!?",
    "Ünïcödé naïve café; STRASSE straße İstanbul ΟΔΟΣ οδός",
    "combining e\u0301\u0323\u0308 and a\u0300; precomposed \u1ed9",
    "日本語とEnglishの混在 漢字。한국어 テキスト，中文！",
    "zero\u200bwidth\u200djoiners, soft\u00adhyphen, bom\ufeff, null\x00byte, bell\x07",
    "private \ue000 unassigned \U000e0080 replacement \ufffd noncharacter \uffff",
    "right-to-left: שלום עולם مرحبا بالعالم \u202eoverride\u202c",
    "emoji 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 and flags 🇩🇪🇯🇵",
    "ｆｕｌｌｗｉｄｔｈ ＡＢＣ １２３ ﬁ ligature ² ½ №",
    "spaces\u00a0no-break\u2003em\u3000ideographic\u2028line\u2029paragraph\u0085next",
    "special [CLS] [SEP] [PAD] [UNK] tokens ##ing [mask] are text",
    "x" * 201 + " " + "y" * 200 + " " + "ж" * 250,
    "a " * 3000,
    "जनता தமிழ் ไทย ខ្មែរ",
)
SHORT = TEXTS[:5]
"""A request of these alone has shorter rows than the longest that a model takes."""
_MASKED = (
    "The {mask} brown fox {mask} over the lazy dog.",
    "{mask}",
    "",
    "no gap",
    "{mask}{mask} é{mask}日本{mask}",
    "long " * 2000 + "{mask}",
)
QUESTIONS = ("What is it?", "", "Où est la bibliothèque? 図書館はどこ", "long question " * 200)


def masked(mask_token: str) -> list[str]:
    """Texts with gaps: some, several, none, none that fits."""
    return [text.format(mask=mask_token) for text in _MASKED]


def paragraphs(texts) -> list[str]:
    """Contexts for questions: those texts that have words; of all texts, also one of several
    windows."""
    filled = [text for text in texts if text.strip()]
    if tuple(texts) != TEXTS:
        return filled
    joined = " ".join(text for text in filled if len(text) < 400)
    return [*filled, " ".join([joined] * 4)]
