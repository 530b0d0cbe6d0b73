"""Reading Swift files for the checks beside this file."""

import pathlib
import re
from typing import Iterator, NamedTuple

COMMENT = re.compile(r"//.*$")
STRING = re.compile(r'#*"(?:\\.|[^"\\])*"#*')


class Line(NamedTuple):
    """One line of a Swift file."""

    number: int
    text: str
    #: The text without comments and without the contents of strings.
    code: str


def swift_files(directory: pathlib.Path) -> list[pathlib.Path]:
    return sorted(directory.rglob("*.swift"))


def lines(file: pathlib.Path) -> Iterator[Line]:
    """The lines of a file; lines inside a multi-line string literal have no code."""
    in_text = False
    for number, text in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        code = ""
        for index, part in enumerate(text.split('"""')):
            if index > 0:
                in_text = not in_text
            if not in_text:
                code += COMMENT.sub("", STRING.sub('""', part))
        yield Line(number, text, code)
