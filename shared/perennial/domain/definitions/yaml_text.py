"""YAML text as plain data that remembers the line of every key."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from perennial.errors import DefinitionError

Place = tuple[Hashable, ...]
"""Keys and list indices from the top of a document down to a value."""

_DEEPEST = 6  # as deep as a definition goes; aliases could go on without end

LONGEST = 1024 * 1024  # characters; a definition is a page

_MERGED = "tag:yaml.org,2002:merge"  # of the key <<

_PROBLEMS = (
    ("cannot start any token", ("found a character that begins no key and no value; indent with "
     "spaces, not tabs, and quote text that begins with @, ` or %")),
    ("mapping values are not allowed", ("found a colon where no key can stand; check the "
     "indentation, and quote text that has a colon in it")),
    ("expected <block end>", ("found text where the block before it has not ended; check the "
     "indentation")),
    ("<document start>", "found text after the end of the document; check the indentation"),
    ("could not find expected ':'", "found a key that never gets its colon"),
    ("unexpected end of stream", "found a quotation mark that is never closed"),
    ("expected ',' or", "found a bracket or brace that is never closed, or a comma too few"),
    ("undefined alias", "found an alias of nothing; quote text that begins with *"),
    ("another document", "found a second document below ---"),
    ("constructor for the tag", "found a tag; quote text that begins with !"),
    ("unhashable key", "found a list or a mapping as a key; quote text that begins with [ or {"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Text:
    """A YAML document.

    Attributes:
        document: what it says.
        lines: where each key and each item of a list stands; the first line is 1.
        source: what to call it in messages.
    """

    document: Any
    lines: Mapping[Place, int]
    source: str

    def where(self, place: Place) -> str:
        """The beginning of a message about a place: source, line where known, and path."""
        known = (self.lines.get(place[:length]) for length in range(len(place), 0, -1))
        line = next((line for line in known if line), None)
        path = ".".join(str(part) for part in place)
        return f"{self.source}{f', line {line}' if line else ''}:{f' {path}:' if path else ''}"


def read_yaml(text: str, source: str, *, keys_once: bool = True) -> Text:
    """Read one document.

    Args:
        text: the YAML.
        source: what to call it in messages, usually a file's name.
        keys_once: refuse a key that stands twice in a mapping; else its last value counts.

    Raises:
        DefinitionError: when it is not YAML, with the line; when it is far too long to be a
            definition; or for each key that stands twice.
    """
    if len(text) > LONGEST:
        raise DefinitionError(
            f"{source}: expected at most {LONGEST:,} characters, found {len(text):,}"
        )
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: dict[Place, int] = {}
        doubled = [] if node is None else list(_number(loader, node, (), lines))
        document = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise DefinitionError(_not_yaml(error, source)) from None
    except yaml.reader.ReaderError as error:
        found = f"U+{ord(text[error.position]):04X}"
        raise DefinitionError(
            f"{source}: expected text, found a control character: {found}"
        ) from None
    except RecursionError:
        raise DefinitionError(f"{source}: found lists or mappings nested too deep") from None
    read = Text(document, lines, source)
    if doubled and keys_once:
        raise DefinitionError("\n".join(f"{read.where(place)} {said}" for place, said in doubled))
    return read


class _Loader(yaml.SafeLoader):
    """Tells where a value stands that is none: YAML's own dates may not exist."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError):
            found = f"found {node.value!r}, which YAML takes for {node.tag.rsplit(':', 1)[-1]}"
            raise yaml.constructor.ConstructorError(
                None, None, f"{found} and cannot read: quote it", node.start_mark
            ) from None


def _number(
    loader: _Loader, node: yaml.Node, above: Place, lines: dict[Place, int]
) -> Iterator[tuple[Place, str]]:
    """Note the line of every key and item below a node; yield the keys that stand there twice."""
    if len(above) == _DEEPEST:
        return
    mine: set[Hashable] = set()
    for key, line, value in _items(loader, node):
        place = (*above, key)
        if key in mine:
            yield place, f"expected this key once, found it in line {lines[place]} too: keep one"
        mine.add(key)
        lines[place] = line
        yield from _number(loader, value, place, lines)


def _items(loader: _Loader, node: yaml.Node) -> Iterator[tuple[Hashable, int, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.tag == _MERGED:
                continue
            key = loader.construct_object(name, deep=True)
            if isinstance(key, Hashable):
                yield key, name.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield index, item.start_mark.line + 1, item


def _not_yaml(error: yaml.MarkedYAMLError, source: str) -> str:
    problem = error.problem or "found something else"
    words = next((words for part, words in _PROBLEMS if part in problem), problem)
    # What never ends is found where something else begins, or the text ends.
    began = error.context_mark if "never" in words else None
    mark = began or error.problem_mark or error.context_mark
    return f"{source}{f', line {mark.line + 1}' if mark else ''}: not YAML: {words}"
