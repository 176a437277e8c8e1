"""Deploy: every step finds what an earlier call made, and goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infra.deploying import steps
from infra.deploying.agents import make_agents
from infra.deploying.image import placeholder
from infra.deploying.preflight import check_project
from infra.deploying.report import first_steps, repository_address
from infra.deploying.state import Found, StateBuckets, choose_environment
from infra.deploying.steps import FOUNDATION, Tools
from infra.deploying.subscription import tune, wanted_settings
from infra.deploying.wanted import Wanted


def up(wanted: Wanted, tools: Tools) -> str:
    """Deploy, or bring what is deployed up to date; return what a person needs next.

    Raises:
        DeployError: a step failed; the next call goes on from it.
    """
    voice = tools.voice
    voice.step("1/8 Looking at Terraform, the project and your roles")
    buckets = _look(wanted, tools, may_enable=True)

    voice.step("2/8 Finding the state")
    state = _state(wanted, tools, buckets)
    environment = choose_environment(wanted, state)
    steps.turn_to(wanted, tools, state, environment)

    voice.step("3/8 Building the bundles")
    image = steps.train_image(wanted, tools, environment)

    voice.step("4/8 The foundation: APIs, the registry, the build account, sources")
    pinned = image.find()
    if pinned is None:
        steps.apply(tools, steps.inputs(wanted, environment, "", FOUNDATION))
    else:
        voice.say("Not needed: the training image of these sources is there.")

    voice.step("5/8 The training image")
    pinned = pinned or image.build()
    voice.say(pinned)

    voice.step("6/8 Everything")
    make_agents(tools.google, wanted.project, voice)
    steps.apply(tools, steps.inputs(wanted, environment, pinned))
    buckets.note_environment(state, environment)
    outputs = tools.terraform.outputs()

    voice.step("7/8 The trigger's subscription")
    _set_up_subscription(wanted, tools, outputs)

    voice.step("8/8 perennial doctor")
    steps.examine(tools, wanted)
    return first_steps(wanted, environment, outputs, repository_address(wanted.root))


def show_plan(wanted: Wanted, tools: Tools) -> None:
    """Say what `up` would change, and change nothing.

    Raises:
        DeployError: when it cannot be told.
    """
    buckets = _look(wanted, tools, may_enable=False)
    state = buckets.find()
    environment = choose_environment(wanted, state)
    if state is None:
        tools.voice.say(
            f"Nothing is deployed yet. A deployment would make the state bucket "
            f"{wanted.bucket('state')} and then all that infra/ describes, with "
            f"environments/{environment}.tfvars; it shows each plan and asks before it applies it."
        )
        return
    steps.turn_to(wanted, tools, state, environment)
    image = steps.train_image(wanted, tools, environment)
    pinned = image.find()
    if pinned is None:
        tools.voice.say(f"A new training image would be built, {image.name}:{image.tag}.")
    plan = tools.terraform.plan(steps.inputs(wanted, environment, pinned or placeholder(wanted)))
    steps.show(tools, plan)


def _look(wanted: Wanted, tools: Tools, *, may_enable: bool) -> StateBuckets:
    version = tools.terraform.check()
    number = check_project(
        tools.google, wanted.project, tools.voice, tools.sleep, may_enable=may_enable
    )
    tools.voice.say(f"Terraform {version}; {wanted.project} is there, and you have the roles.")
    return StateBuckets(tools.google, wanted, number)


def _state(wanted: Wanted, tools: Tools, buckets: StateBuckets) -> Found:
    found = buckets.find()
    if found is None:
        # The environment is noted at once, for a first deployment that stops half-way.
        found = buckets.create(choose_environment(wanted, None))
        tools.voice.say(f"Made bucket {found.state.bucket}.")
    return found


def _set_up_subscription(wanted: Wanted, tools: Tools, outputs: Mapping[str, Any]) -> None:
    settings = wanted_settings(wanted.table()["events"], outputs["dead_letter_topic"])
    changes = tune(tools.google, outputs["subscription"], settings)
    tools.voice.say("\n".join(map(str, changes)) or "As it should be; left alone.")
