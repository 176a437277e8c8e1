"""What all commands have in common."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from pytest_mock import MockerFixture

from perennial import cli
from perennial.adapters.memory import MemoryStore
from perennial.cli.main import COMMANDS, perennial
from perennial.errors import InvariantBroken, StoreUnavailable

from .conftest import BAD, GOOD, Run

README = Path(__file__).resolve().parents[3] / "README.md"


def walk(
    command: click.Command = perennial, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command that does something, with the words that call it."""
    if not isinstance(command, click.Group):
        yield path, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from walk(below, (*path, name))


ALL = dict(walk())


@pytest.mark.parametrize("path", ALL, ids=" ".join)
class TestEveryCommand:
    def test_says_what_it_is_for(self, path: tuple[str, ...], run: Run) -> None:
        ran = run(*path, "--help")

        assert ran.code == 0
        assert ran.out.startswith(f"Usage: perennial {' '.join(path)} ")
        assert (ALL[path].help or "").strip()
        assert ALL[path].get_short_help_str(60).count("...") == 0, "a summary that is cut off"

    def test_explains_every_option(self, path: tuple[str, ...]) -> None:
        options = [p for p in ALL[path].params if isinstance(p, click.Option)]

        assert [option.name for option in options if not option.help] == []

    def test_has_json(self, path: tuple[str, ...]) -> None:
        assert "--json" in [o for p in ALL[path].params for o in p.opts]

    def test_has_a_line_in_the_readme(self, path: tuple[str, ...]) -> None:
        lines = [line for line in README.read_text().splitlines() if f"perennial {path[0]}" in line]

        assert any(all(word in line for word in path) for line in lines)


def test_the_commands_are_those_of_the_contract() -> None:
    assert set(COMMANDS) == {
        "up", "down", "demo", "init", "apply", "drop", "status", "versions", "approve", "reject",
        "rollback", "unpin", "quarantine", "recall", "predict", "retrain", "rebuild", "import",
        "export", "replay", "ablate", "sweep", "doctor", "gate-test", "check", "schema", "score",
        "report", "monitor",
    }  # fmt: skip
    healing = {path[1] for path in ALL if path[0] == "quarantine"}
    assert healing == {"list", "show", "retry", "release", "repair", "discard"}


class TestFailures:
    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["bogus"], "No such command 'bogus'. See `perennial --help`."),
            (["drop"], "Missing argument 'NAME'. See `perennial drop --help`."),
            (["rollback", "flowers"], "Missing option '--why'. See `perennial rollback --help`."),
            (
                ["status", "--bogus"],
                "No such option '--bogus'. See `perennial status --help`.",
            ),
        ],
    )
    def test_a_wrong_command_line_is_one_line_and_code_2(
        self, run: Run, words: list[str], complaint: str
    ) -> None:
        ran = run(*words)

        assert ran.code == 2
        assert ran.complaint == f"perennial: {complaint}"

    @pytest.mark.parametrize(
        ("error", "complaint"),
        [
            (StoreUnavailable("no answer"), "no answer"),
            (InvariantBroken("two champions"), "what must never happen did: two champions"),
        ],
    )
    def test_an_error_is_one_line_and_code_1(
        self, deployed: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, complaint: str
    ) -> None:
        def fail(_: object) -> None:
            raise error

        monkeypatch.setattr("perennial.workflows.registry.Registry.pipelines", fail)
        ran = deployed("status", "--json")

        assert ran.code == 1
        assert ran.complaint == f"perennial: {complaint}"

    @pytest.mark.parametrize(
        ("words", "kind", "code"),
        [
            (["status", "--bogus"], "UsageError", 2),
            (["rollback", "flowers"], "UsageError", 2),
            (["bogus"], "UsageError", 2),
            (["status", "roses"], "NotFoundError", 1),
            (["apply", "flowers.txt"], "DefinitionError", 1),
            (["quarantine", "show", "flowers", "b.csv", "--original", "no/x"], "OSError", 1),
        ],
    )
    def test_with_json_it_is_a_document_too(
        self, flowers: Run, words: list[str], kind: str, code: int
    ) -> None:
        Path("b.csv").write_bytes(BAD)
        Path("flowers.txt").write_text("petals: many")
        assert flowers("drop", "flowers", "b.csv").code == 0
        assert flowers("sweep").code == 0
        ran = flowers(*words, "--json")

        assert ran.code == code
        document = json.loads(ran.out)
        assert document == {"error": {"type": kind, "message": document["error"]["message"]}}
        assert ran.complaint == f"perennial: {document['error']['message']}"

    def test_with_json_a_store_that_fails_is_a_document_too(
        self, flowers: Run, mocker: MockerFixture
    ) -> None:
        error = StoreUnavailable("read gs://models/flowers: no answer")
        mocker.patch.object(MemoryStore, "read", side_effect=error)
        ran = flowers("status", "flowers", "--json")

        assert ran.code == 1
        assert json.loads(ran.out)["error"] == {"type": "StoreUnavailable", "message": str(error)}
        assert ran.err == f"perennial: {error}\n"

    @pytest.mark.parametrize("words", [[], ["quarantine"]])
    def test_a_group_alone_shows_its_help(self, run: Run, words: list[str]) -> None:
        ran = run(*words)

        assert ran.code == 2
        assert ran.out == ""
        assert ran.err == run(*words, "--help").out

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (
                ["init", "f", "--sample", "a.csv", "--label", "y", "-o", "nodir/x"],
                "nodir/x cannot be written: there is no folder nodir; make it first",
            ),
            (
                ["quarantine", "show", "flowers", "b.csv", "--original", "nodir/x"],
                (
                    "nodir/x: no such file or directory: check the path, "
                    "and make its folder first if that is missing"
                ),
            ),
            (
                ["apply", "latin.yaml"],
                (
                    "latin.yaml, line 2: expected UTF-8 text, found the byte 0xFC: "
                    "save the file as UTF-8"
                ),
            ),
            (
                ["drop", "flowers", b"\xfc.csv".decode("utf-8", "surrogateescape")],
                r"'\udcfc.csv': expected a file name in UTF-8, found other bytes: rename the file",
            ),
        ],
    )
    def test_a_file_that_cannot_be_read_or_written_is_one_line(
        self, flowers: Run, words: list[str], complaint: str
    ) -> None:
        Path("a.csv").write_text("x,y\n" + "1,true\n2,false\n" * 30)
        Path("b.csv").write_bytes(BAD)
        Path("latin.yaml").write_bytes("name: flowers\ntask: Blüte\n".encode("latin-1"))
        Path(os.fsdecode(b"\xfc.csv")).write_bytes(GOOD)
        assert flowers("drop", "flowers", "b.csv").code == 0
        assert flowers("sweep").code == 0

        assert flowers(*words).complaint == f"perennial: {complaint}"

    def test_what_the_terminal_cannot_show_is_one_line(self, tmp_path: Path) -> None:
        rows = "π,y\n" + "1,true\n2,false\n" * 30
        (tmp_path / "a.csv").write_text(rows, encoding="utf-8")
        words = ["init", "f", "--sample", "a.csv", "--label", "y"]
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; from perennial.cli.main import main; sys.exit(main())",
                *words,
            ],
            env={**os.environ, "PYTHONIOENCODING": "latin-1"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert "PYTHONUTF8=1" in line

    def test_an_interruption_is_code_130(
        self, deployed: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("perennial.workflows.registry.Registry.pipelines", interrupt)
        assert deployed("status").code == 130

    def test_a_reader_who_has_seen_enough_hears_no_complaint(self, tmp_path: Path) -> None:
        """As in `perennial versions flowers | head -1`."""
        program = (
            "import sys, click\n"
            "from perennial.cli import main as cli\n"
            "@click.command()\n"
            "def flood():\n"
            "    for _ in range(100_000):\n"
            "        click.echo('petals ' * 20)\n"
            "cli.perennial.get_command = lambda *_: flood\n"
            "sys.exit(cli.main(['flood']))\n"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
        )
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.wait(30) == 1
        assert process.stderr.read() == b""
        process.stderr.close()


def test_help_lists_the_commands_in_order_with_a_summary(run: Run) -> None:
    lines = run("--help").out.split("Commands:\n")[1].splitlines()

    assert [line.split()[0] for line in lines] == list(COMMANDS)
    assert all(len(line.split()) > 2 for line in lines)


def test_json_is_the_only_thing_on_standard_output(flowers: Run) -> None:
    ran = flowers("status", "flowers", "--json")

    assert ran.err == ""
    assert json.loads(ran.out)["pipeline"] == "flowers"


def test_text_is_read_and_written_in_a_stated_encoding() -> None:
    """What the machine takes for its own encoding would decide else."""
    unstated = []
    for path in sorted(Path(cli.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                keywords = {keyword.arg for keyword in node.keywords}
                reads = node.func.attr in ("read_text", "write_text")
                if reads and "encoding" not in keywords:
                    unstated.append(f"{path.name}:{node.lineno}")
    assert unstated == []
