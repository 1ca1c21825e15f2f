"""How a proposed mapping stands beside a true one, key by key."""

from dataclasses import dataclass, field
from pathlib import Path

from assets.feeds.mapping import FeedMapping
from assets.service import read_service


@dataclass
class Comparison:
    """Keys of true mappings that a proposal gives alike, gives otherwise, or leaves out; and what it adds to them."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def keys(self):
        return len(self.right) + len(self.wrong) + len(self.left)


def _what(mapping: FeedMapping) -> dict[str, object]:
    """Everything that a mapping says, one entry a contract column, word or form."""
    said: dict[str, object] = dict(mapping.columns.items())
    said |= {name: ("constant", value) for name, value in mapping.constants.items()}
    said |= {name: ("part of", pattern.source) for name, pattern in mapping.patterns.items()}
    said |= {
        f"word {name}: {word}": meant
        for name, words in mapping.words.items()
        for word, meant in words.items()
        if word != meant
    }
    said |= {f"only {source}": frozenset(values) for source, values in mapping.only.items()}
    if mapping.layout == "long":
        said |= {"item_number": mapping.item_number, "item_value": mapping.item_value}
    for key in ("items", "total", "born_on"):
        if getattr(mapping, key) is not None:
            said[key] = getattr(mapping, key)
    days = {"completed_on", "referred_on", "started_on", "ended_on"} & set(mapping.columns) or mapping.born_on
    if days and mapping.format == "csv":
        said["date_format"] = mapping.date_format
    if "starts_at" in mapping.columns and mapping.format == "csv":
        said["datetime_format"] = mapping.datetime_format
    if mapping.corrects:
        said["corrects"] = True
    return said


def _measures(mapping: FeedMapping) -> object:
    return mapping.constants.get("instrument"), tuple(sorted(mapping.only.items()))


def compare(proposed: Path, true: Path, names: list[str]) -> Comparison:
    """Hold a settings file against the true one over the files of an inbox."""
    found = Comparison()
    ours, theirs = (
        {
            (name, feed, _measures(mapping)): _what(mapping)
            for feed, mappings in read_service(file).feeds.items()
            for mapping in mappings
            for name in names
            if mapping.claims(name)
        }
        for file in (proposed, true)
    )
    for place, truth in theirs.items():
        said = ours.get(place, {})
        for key, value in truth.items():
            kept = found.left if key not in said else found.right if said[key] == value else found.wrong
            kept.append(f"{place[0]} {place[1]} {key}: {said.get(key)!r} for {value!r}")
        found.wrong += [
            f"{place[0]} {place[1]} {key}: {value!r} for nothing" for key, value in said.items() if key not in truth
        ]
    found.wrong += [f"{place}: a mapping for nothing" for place in ours if place not in theirs]
    return found
