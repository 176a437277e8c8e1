"""`perennial schema`: the JSON Schema of a definition, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from perennial.cli.files import require_folder, write_text
from perennial.cli.output import emit, json_option
from perennial.domain.definitions.definition_schema import definition_schema


@click.command()
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write."
)
@json_option
def schema(output: Path | None, as_json: bool) -> None:
    """Print the JSON Schema of a definition.

    Editors complete and check YAML with it: write it to a file, and begin the definition with
    `# yaml-language-server: $schema=FILE`.
    """
    document = definition_schema()
    text = json.dumps(document, ensure_ascii=False, indent=1)
    if output:
        require_folder(output)
        write_text(output, text + "\n")
        said = f"wrote {output}: begin a definition with `# yaml-language-server: $schema={output}`"
    emit(document, [said if output else text], as_json=as_json)
