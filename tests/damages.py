# Copyright 2026 The electra_tf Authors. Licensed under the Apache License, Version 2.0.
"""Ways to damage a file, drawn from a seed: of any file, and of JSON with an eye to its meaning."""

import json
import shutil

OTHER_VALUES = (
    *(None, True, -1, 0, 7, 10**6, 2**31, 2**63, 10**30, 10**400),
    *(0.5, -1e308, 1e308, float("nan"), float("inf")),
    *("", "x", "\u0000", "a/b", "../x", "y" * 5000, "\ud800"),
    *([], [1], ["x"], [[]], [None], {}, {"x": 1}, {"x": {}}),
)


def flip(content, rng):
    """One bit."""
    place = rng.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << rng.randrange(8)]) + content[place + 1 :]


def cut(content, rng):
    return content[: rng.randrange(len(content))]


def empty(content, rng):
    return b""


def append(content, rng):
    return content + rng.randbytes(rng.randrange(1, 40))


def repeat(content, rng):
    return content + content


def zero(content, rng):
    """A block, as after a loss of power."""
    place = rng.randrange(len(content))
    return content[:place] + bytes(min(64, len(content) - place)) + content[place + 64 :]


def scramble(content, rng):
    place = rng.randrange(len(content))
    return content[:place] + rng.randbytes(min(8, len(content) - place)) + content[place + 8 :]


def drop(content, rng):
    """Some bytes in the middle."""
    place = rng.randrange(len(content))
    return content[:place] + content[place + rng.randrange(1, 9) :]


def another(content, rng):
    return rng.choice([b"<html>404: Not Found</html>\n", b"\x1f\x8b\x08\x00", b"PK\x03\x04", b"\n"])


ANY = (flip, flip, flip, cut, cut, empty, append, repeat, zero, scramble, drop, another)


def nest(content, rng):
    return rng.choice([b"[", b'{"a":', b'{"a":['] * 1) * 100_000


def not_utf8(content, rng):
    place = rng.randrange(len(content))
    return content[:place] + rng.choice([b"\xff", b"\xed\xa0\x80", b"\xc3"]) + content[place:]


def huge_number(content, rng):
    """In place of a number, if there is one."""
    places = [i for i in range(len(content)) if content[i : i + 1].isdigit()]
    if not places:
        return b"9" * 5000
    place = rng.choice(places)
    digits = rng.choice([b"9" * 5000, b"1e999", b"-", b"1e308", b"9" * 30])
    return content[:place] + digits + content[place + 1 :]


def change_value(content, rng):
    """Some value of a JSON document becomes one of another kind, or goes."""
    document = json.loads(content)
    holders = [holder for holder in _holders(document) if holder]
    if not holders:
        return json.dumps(rng.choice(OTHER_VALUES)).encode()
    holder = rng.choice(holders)
    key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
    how = rng.random()
    if how < 0.2:
        del holder[key]
    elif how < 0.3 and isinstance(holder, dict):
        holder[f"{key}x"] = holder.pop(key)
    else:
        holder[key] = rng.choice(OTHER_VALUES)
    return json.dumps(document).encode()


def change_all(content, rng):
    return json.dumps(rng.choice(OTHER_VALUES)).encode()


JSON = (*[change_value] * 20, change_all, nest, not_utf8, huge_number, *ANY)


def change_line(content, rng):
    """One line of JSON lines."""
    lines = content.splitlines()
    place = rng.randrange(len(lines))
    lines[place] = rng.choice((change_value, change_all, not_utf8, huge_number))(lines[place], rng)
    return b"\n".join(lines) + b"\n"


JSON_LINES = (*[change_line] * 10, nest, *ANY)


def damage(path, rng) -> str:
    """Damage a file; returns how."""
    if rng.random() < 0.03:
        path.unlink()
        path.mkdir()
        return "folder"
    if rng.random() < 0.02:
        path.unlink()
        return "missing"
    content = path.read_bytes()
    ways = {".json": JSON, ".jsonl": JSON_LINES}.get(path.suffix, ANY)
    way = rng.choice(ways)
    changed = way(content, rng)
    path.write_bytes(changed)
    return way.__name__ if changed != content else "nothing"


def restore(sound, folder):
    """Make a folder what it was."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(sound, folder)


def _holders(value):
    if isinstance(value, dict | list):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner)
