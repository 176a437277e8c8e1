"""A stand-in for the `terraform` program: it plans, applies and forgets as told, and takes notes.

Its world is a folder named by FAKE_TERRAFORM: `plays.json` says how the next calls fail,
`calls.jsonl` is what it was asked, `states/` holds a state for each bucket and prefix. It knows the
resources of WANTED and nothing of Google.
"""

import json
import os
import sys
import time
from pathlib import Path

WORLD = Path(os.environ["FAKE_TERRAFORM"])
FOUNDATION = ["google_project_service.base", "google_service_account.account"]
WANTED = [*FOUNDATION, "google_storage_bucket.bucket", "google_cloud_run_v2_job.train"]
JOB = WANTED[-1]


def main(arguments):
    chdir, command, *rest = arguments
    assert chdir.startswith("-chdir="), arguments
    flags = dict(argument.partition("=")[::2] for argument in rest if argument.startswith("-"))
    note = {"command": command, "arguments": rest, "data": os.environ.get("TF_DATA_DIR")}
    with (WORLD / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps(note) + "\n")
    return globals()[command](rest, flags)


def version(_arguments, _flags):
    print(json.dumps({"terraform_version": world("version", "1.11.4")}))
    return 0


def init(arguments, _flags):
    backend = dict(
        argument.removeprefix("-backend-config=").split("=", 1)
        for argument in arguments
        if argument.startswith("-backend-config=")
    )
    data = Path(os.environ["TF_DATA_DIR"])
    data.mkdir(parents=True, exist_ok=True)
    (data / "backend").write_text(f"{backend['bucket']}--{backend['prefix'].replace('/', '-')}")
    return 0


def plan(arguments, flags):
    if trouble := take("plan"):
        print(trouble, file=sys.stderr)
        return 1
    variables = [argument[5:] for argument in arguments if argument.startswith("-var=")]
    image = dict(variable.split("=", 1) for variable in variables)["train_image"]
    there = known()
    targets = [argument[8:] for argument in arguments if argument.startswith("-target=")]
    wanted = [name for name in WANTED if not targets or name in targets]
    if "-destroy" in flags:
        changes = {name: ["delete"] for name in there}
    else:
        changes = {name: ["create"] for name in wanted if name not in there}
        if JOB in wanted and JOB in there and there[JOB].get("image") != image:
            changes[JOB] = ["update"]
    document = {
        "image": image,
        "resource_changes": [
            {
                "address": name,
                "type": name.partition(".")[0],
                "mode": "managed",
                "change": {"actions": actions, "before": there.get(name)},
            }
            for name, actions in changes.items()
        ],
    }
    Path(flags["-out"]).write_text(json.dumps(document))
    return 2 if changes else 0


def show(arguments, _flags):
    print(Path(arguments[-1]).read_text())
    return 0


def console(_arguments, _flags):
    assert sys.stdin.read() == "var.runtime\n"
    print(json.dumps(world("runtime", "python311")))
    return 0


def apply(arguments, _flags):
    document = json.loads(Path(arguments[-1]).read_text())
    there, trouble = known(), take("apply")
    if trouble == "hang":
        return hang()
    changes = document["resource_changes"]
    for change in changes[: len(changes) // 2] if trouble else changes:
        name = change["address"]
        if change["change"]["actions"] == ["delete"]:
            del there[name]
        else:
            there[name] = {"image": document["image"], **world("attributes", {}).get(name, {})}
        print(f"{name}: Complete")
    state_file().write_text(json.dumps(there))
    if trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1
    return 0


def hang():
    """Until interrupted; then it saves and says so, as Terraform does."""
    (WORLD / "hanging").touch()
    try:
        time.sleep(60)
    except KeyboardInterrupt:
        (WORLD / "saved").touch()
        print("Stopping operation...")
    return 1


def output(_arguments, _flags):
    outputs = world("outputs", {}) if JOB in known() else {}
    print(json.dumps({name: {"value": value} for name, value in outputs.items()}))
    return 0


def state(arguments, _flags):
    assert arguments[0] == "rm", arguments
    there = known()
    for name in (argument for argument in arguments[1:] if not argument.startswith("-")):
        del there[name]
    state_file().write_text(json.dumps(there))
    return 0


def world(name, default):
    path = WORLD / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else default


def take(command):
    """How the next call of this command fails, if it is to."""
    plays = world("plays", {})
    trouble = plays.get(command, []).pop(0) if plays.get(command) else None
    (WORLD / "plays.json").write_text(json.dumps(plays))
    return trouble


def state_file():
    name = (Path(os.environ["TF_DATA_DIR"]) / "backend").read_text()
    (WORLD / "states").mkdir(exist_ok=True)
    return WORLD / "states" / name


def known():
    return json.loads(state_file().read_text()) if state_file().exists() else {}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
