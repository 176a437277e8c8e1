"""Up, down, and everything that can be killed in between."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest


def test_up_and_down_and_up_again_keeps_urls_and_state(new_cloud, upload_to, eventually):
    new_cloud.only("ingest")
    assert new_cloud.up() == 0, new_cloud.output
    first = new_cloud.endpoints
    upload_to(new_cloud, "shop/a.csv", b"a\n")
    eventually(lambda: new_cloud.notes("event"))
    assert new_cloud.down() == 0
    assert new_cloud.processes() == {}
    with pytest.raises(httpx.ConnectError):
        httpx.get(first["storage"])

    assert new_cloud.up() == 0, new_cloud.output
    second = new_cloud.endpoints
    assert second["pid"] != first["pid"]
    assert {**second, "pid": None} == {**first, "pid": None}
    listing = httpx.get(f"{second['storage']}/storage/v1/b/perennial-landing/o").json()
    assert [item["name"] for item in listing["items"]] == ["shop/a.csv"]
    assert len(new_cloud.notes("event")) == 1, "an acknowledged event is not sent again"


def test_up_where_a_cloud_runs_says_so(cloud):
    before = cloud.endpoints
    assert cloud.up() == 0
    assert "already runs" in cloud.output
    assert before["predict"] in cloud.output
    assert cloud.endpoints == before


def test_of_two_that_start_it_at_once_both_get_the_same_cloud(new_cloud):
    new_cloud.only()
    with ThreadPoolExecutor() as pool:
        codes = list(pool.map(lambda _: new_cloud.up(), range(2)))
    assert codes == [0, 0], new_cloud.output
    assert sum("localdev.storage" in command for command in new_cloud.processes().values()) == 1


def test_supervisor_refuses_to_lead_a_session_that_is_not_its_own(tmp_path):
    """It ends its session when it stops; that must never be a terminal's."""
    command = [sys.executable, "-m", "localdev.supervisor", f"--dir={tmp_path}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert "localdev up" in done.stderr


def test_down_where_nothing_runs_says_so(new_cloud):
    new_cloud.only()
    assert new_cloud.down() == 0
    assert "nothing runs" in new_cloud.output


def test_killed_supervisor_leaves_no_orphans_and_up_recovers(new_cloud, upload_to, eventually):
    new_cloud.only("ingest", "train")
    assert new_cloud.up() == 0, new_cloud.output
    first = new_cloud.endpoints
    assert len(new_cloud.processes()) >= 4
    job = f"{first['run']}/v2/projects/local/locations/local/jobs/perennial-train"
    env = [{"name": "SLEEP", "value": "60"}]
    body = {"overrides": {"containerOverrides": [{"env": env}]}}
    launched = httpx.post(f"{job}:run", json=body).json()["metadata"]["name"]
    eventually(lambda: new_cloud.notes("train"))
    os.kill(first["pid"], signal.SIGKILL)
    eventually(lambda: not new_cloud.processes(), 5)
    assert f"(process {first['pid']}) is gone without a word" in new_cloud.log("supervisor")

    assert new_cloud.up() == 0, new_cloud.output
    assert {**new_cloud.endpoints, "pid": None} == {**first, "pid": None}
    execution = httpx.get(f"{first['run']}/v2/{launched}").json()
    assert execution["failedCount"] == 1
    upload_to(new_cloud, "shop/b.csv", b"b\n")
    eventually(lambda: new_cloud.notes("event"))


def test_cloud_killed_whole_in_the_middle_of_uploads_loses_no_event(
    new_cloud, upload_to, eventually
):
    new_cloud.only("ingest")
    assert new_cloud.up() == 0, new_cloud.output
    names = [f"shop/{number}.csv" for number in range(10)]
    for name in names:
        upload_to(new_cloud, name, b"")
    for pid in [new_cloud.supervisor, *new_cloud.processes()]:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert new_cloud.up() == 0, new_cloud.output
    eventually(lambda: {note["name"] for note in new_cloud.notes("event")} == set(names))


def test_up_clears_away_what_a_killed_supervisor_and_guardian_left(new_cloud, eventually):
    new_cloud.only("ingest")
    assert new_cloud.up() == 0, new_cloud.output
    guardian = _session_member(new_cloud.supervisor, "localdev.guardian")
    os.kill(guardian, signal.SIGSTOP)
    os.kill(new_cloud.supervisor, signal.SIGKILL)
    os.kill(guardian, signal.SIGKILL)
    orphans = new_cloud.processes()
    assert orphans
    assert new_cloud.up() == 0, new_cloud.output
    assert not orphans.keys() & new_cloud.processes().keys()


def test_killed_parts_are_started_again(cloud, upload, eventually):
    for module in ("localdev.delivery", "localdev.jobs", "localdev.storage"):
        pid = cloud.pid_of(module)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda pid=pid, module=module: _other_than(pid, cloud, module))
    os.kill(_session_member(cloud.supervisor, "localdev.guardian"), signal.SIGKILL)
    eventually(lambda: _answers(cloud.endpoints["storage"]))
    upload("shop/after-the-kill.csv", b"")
    eventually(lambda: [item for item in cloud.notes("event") if "after" in item["name"]])
    assert eventually(lambda: _session_member(cloud.supervisor, "localdev.guardian"))


def test_stale_endpoints_with_a_reused_pid_do_not_matter(new_cloud):
    new_cloud.only()
    new_cloud.directory.mkdir()
    stale = {"storage": "http://127.0.0.1:1", "predict": "nonsense", "pid": os.getpid()}
    (new_cloud.directory / "endpoints.json").write_text(json.dumps(stale))
    (new_cloud.directory / "lock").write_text(f"{os.getpid()}\n")
    assert new_cloud.down() == 0
    assert "nothing runs" in new_cloud.output
    assert new_cloud.up() == 0, new_cloud.output
    assert new_cloud.endpoints["pid"] != os.getpid()


def test_function_that_cannot_start_fails_up_with_its_reason_and_log(new_cloud):
    new_cloud.only()
    function = new_cloud.root / "functions" / "monitor"
    function.mkdir()
    (function / "requirements.txt").touch()
    (function / "main.py").write_text("import a_module_nobody_has\n")
    assert new_cloud.up() == 1
    assert "monitor does not start" in new_cloud.output
    assert "a_module_nobody_has" in new_cloud.output
    assert str(new_cloud.directory / "logs" / "monitor.log") in new_cloud.output
    assert new_cloud.processes() == {}


def test_taken_port_fails_up_and_names_it(new_cloud, cloud):
    new_cloud.only()
    port = int(cloud.endpoints["storage"].rpartition(":")[2])
    assert new_cloud.up(f"--port={port}") == 1
    assert f"in use: port {port} (storage)" in new_cloud.output


def test_port_that_was_asked_for_is_the_storage_emulators(new_cloud, unused_ports):
    new_cloud.only()
    assert new_cloud.up(f"--port={unused_ports}") == 0, new_cloud.output
    assert new_cloud.endpoints["storage"] == f"http://127.0.0.1:{unused_ports}"


def test_interrupted_foreground_cloud_stops_cleanly(new_cloud, eventually):
    new_cloud.only()
    command = [sys.executable, "-m", "localdev", "up", f"--dir={new_cloud.directory}"]
    process = subprocess.Popen(
        [*command, f"--root={new_cloud.root}"], stdout=subprocess.PIPE, text=True
    )
    lines = iter(process.stdout.readline, "Ctrl-C stops it\n")
    assert any(line.startswith("storage") for line in lines)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 0
    assert new_cloud.processes() == {}
    told, stopped = new_cloud.log("supervisor").splitlines()[-2:]
    assert f"told to stop: `up` (process {process.pid}) was interrupted" in told
    assert stopped.endswith("localdev: stops: got SIGTERM")


def test_down_is_named_as_the_one_that_stopped_it(new_cloud):
    new_cloud.only()
    assert new_cloud.up() == 0, new_cloud.output
    supervisor = new_cloud.supervisor
    assert new_cloud.down() == 0
    up, told, stopped = new_cloud.log("supervisor").splitlines()
    assert f"up (process {supervisor}): storage" in up
    assert "told to stop by `down` (process " in told
    assert f"process {os.getpid()})" in told
    assert stopped.endswith("localdev: stops: got SIGTERM")


def test_cloud_whose_terminal_is_gone_says_so(new_cloud, eventually):
    new_cloud.only()
    command = [sys.executable, "-m", "localdev", "up", f"--dir={new_cloud.directory}"]
    process = subprocess.Popen(
        [*command, f"--root={new_cloud.root}"], stdout=subprocess.PIPE, text=True
    )
    assert "Ctrl-C stops it\n" in iter(process.stdout.readline, "")
    process.kill()
    process.wait()
    process.stdout.close()
    eventually(lambda: "stops: the `up` that started it has ended" in new_cloud.log("supervisor"))
    eventually(lambda: not new_cloud.processes())


def test_part_that_cannot_be_started_again_stops_it_and_is_named(new_cloud, eventually):
    new_cloud.only("ingest")
    assert new_cloud.up() == 0, new_cloud.output
    pid, folder = _function_process(new_cloud, "ingest")
    shutil.rmtree(folder)
    os.kill(pid, signal.SIGKILL)
    eventually(
        lambda: "stops: ingest ended and cannot be started again: " in new_cloud.log("supervisor")
    )
    eventually(lambda: not new_cloud.processes())
    assert str(folder) in new_cloud.log("supervisor").splitlines()[-1]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["up"],
        ["down"],
        ["-m", "localdev.delivery"],
        ["-m", "localdev.jobs"],
        ["-m", "localdev.guardian"],
        ["-m", "localdev.supervisor"],
    ],
)
def test_every_command_explains_itself(arguments):
    module = arguments if "-m" in arguments else ["-m", "localdev", *arguments]
    done = subprocess.run(
        [sys.executable, *module, "--help"], capture_output=True, text=True, check=True
    )
    assert "usage: python -m localdev" in done.stdout


def _function_process(cloud, name: str) -> tuple[int, Path]:
    """The first process of a function, and the folder of its bundle."""
    for pid in cloud.processes():
        folder = Path(psutil.Process(pid).cwd())
        if (folder / "main.py").exists() and name in folder.parts[-1]:
            return pid, folder
    pytest.fail(f"no process of {name}")


def _session_member(session: int, module: str) -> int:
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session and module in process.cmdline():
                return process.pid
        except (psutil.Error, OSError):
            continue
    return 0


def _other_than(pid: int, cloud, module: str) -> bool:
    return any(module in command for other, command in cloud.processes().items() if other != pid)


def _answers(url: str) -> bool:
    try:
        httpx.get(url)
    except httpx.HTTPError:
        return False
    return True
