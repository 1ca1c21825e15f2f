"""A proposal as the text of a settings file, each key with the reason it has.

Belongs here: TOML's own form and the words around it. Does not belong here: what is proposed.
"""

import json
from collections.abc import Mapping, Sequence

from assets.feeds.proposal.drafts import TOP, Draft, Line, Value

_ORDER = (
    "files",
    "members",
    "corrects",
    "format",
    "sheet",
    "delimiter",
    "encoding",
    "decimal",
    "date_format",
    "datetime_format",
)
_SECTIONS = (TOP, "only", "columns", "patterns", "constants")


def quoted(value: Value) -> str:
    """A value as TOML writes it; JSON's strings are TOML's basic strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {quoted(each)}" for key, each in value.items()) + " }"
    return "[" + ", ".join(quoted(each) for each in value) + "]"


def written_key(key: str) -> str:
    """A key, quoted where it is not bare."""
    return key if key.isascii() and key.replace("_", "").replace("-", "").isalnum() else quoted(key)


def written(line: Line) -> str:
    """One key with its value and why; a line that the clinic must settle says so."""
    text = f"{written_key(line.key)} = {quoted(line.value)}"
    said = f"to settle: {line.settle}" if line.settle else line.why
    mark = "" if line.is_active else "# "
    return f"{mark}{text}" + (f"  # {said}" if said else "")


def table(draft: Draft) -> str:
    """One `[[feeds.<name>]]` table; commented out whole where it must be settled first."""
    parts = [f"[[feeds.{draft.feed.name}]]"]
    sections = [*_SECTIONS, *(name for name in draft.sections if name not in _SECTIONS)]
    for section in sections:
        lines = draft.sections.get(section, {})
        if not lines:
            continue
        if section:
            is_bare = any(line.is_active for line in lines.values())
            parts.append(f"{'' if is_bare else '# '}[feeds.{draft.feed.name}.{section}]")
        order = _ORDER if section == TOP else tuple(column.name for column in draft.feed.delivered)
        ordered = sorted(lines.values(), key=lambda line: order.index(line.key) if line.key in order else len(order))
        parts += [written(line) for line in ordered]
    if not draft.settle:
        return "\n".join(parts)
    said = f"# to settle: {draft.settle}; take the marks off if it is so"
    return "\n".join([said, *(part if part.startswith("# ") else f"# {part}" for part in parts)])


def comment(sentences: Sequence[str]) -> str:
    """Sentences as comments, a line each."""
    return "\n".join(f"# {sentence}" for sentence in sentences)
