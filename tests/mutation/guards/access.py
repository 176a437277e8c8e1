"""Who may cause what: events, factories, jobs, forms."""

from __future__ import annotations

from tests.mutation.mutations import Mutation

_INGEST = "functions/ingest/main.py"
_PACKAGES = "shared/perennial/adapters/model_packages.py"
_TRAIN = "functions/train/main.py"
_OVERRIDES = "localdev/jobs/overrides.py"
_FORGERY = "shared/perennial/console/forgery.py"
_EVENTS = "tests/integration/ingest/test_functions.py"
_FACTORIES = "tests/unit/adapters/test_model_packages.py"
_JOB = "tests/unit/training/test_job.py"
_JOBS = "tests/unit/localdev/test_overrides.py"
_ACTIONS = "tests/unit/console/test_actions.py"

MUTATIONS = (
    Mutation(
        "event: another bucket's is followed",
        _INGEST,
        '    if data.get("bucket") != bucket:\n',
        "    if False:\n",
        (_EVENTS,),
    ),
    Mutation(
        "event: one of another type is followed",
        _INGEST,
        "    if kind != FINALIZED:\n",
        "    if False:\n",
        (_EVENTS,),
    ),
    Mutation(
        "event: anything is taken for a generation",
        _INGEST,
        '    if not re.fullmatch("[1-9][0-9]{0,18}", generation):\n',
        "    if False:\n",
        (_EVENTS,),
    ),
    Mutation(
        "factory: packages that are not on the list",
        _PACKAGES,
        "        if package not in self.allowed:\n",
        "        if False:\n",
        (_FACTORIES,),
    ),
    Mutation(
        "factory: a package of that name from elsewhere",
        _PACKAGES,
        '        if origin != (self.folder / package / "__init__.py").resolve():\n',
        "        if False:\n",
        (_FACTORIES,),
    ),
    Mutation(
        "factory: what a package has from elsewhere",
        _PACKAGES,
        "        if home not in self.allowed:\n",
        "        if False:\n",
        (_FACTORIES,),
    ),
    Mutation(
        "job: several things to do at once",
        _TRAIN,
        "    if len(given) > 1:\n",
        "    if False:\n",
        (_JOB,),
    ),
    Mutation(
        "job: variables that no launcher sets",
        _TRAIN,
        "    if not PIPELINE_NAME.fullmatch(pipeline) or not fits:\n",
        "    if False:\n",
        (_JOB,),
    ),
    Mutation(
        "job: a pipeline that is called as none can be",
        _TRAIN,
        "    if not PIPELINE_NAME.fullmatch(pipeline) or not fits:\n",
        "    if not fits:\n",
        (_JOB,),
    ),
    Mutation(
        "job: overrides that nobody knows",
        _OVERRIDES,
        '        _only(overrides, _KNOWN, "overrides")\n',
        "",
        (_JOBS,),
    ),
    Mutation(
        "job: overrides of a container that nobody knows",
        _OVERRIDES,
        '        _only(container, _KNOWN_OF_CONTAINER, "containerOverrides[0]")\n',
        "",
        (_JOBS,),
    ),
    Mutation(
        "job: variables that are no text",
        _OVERRIDES,
        'if not isinstance(entry.get("name"), str) or not isinstance(entry.get("value", ""), str):',
        "if False:",
        (_JOBS,),
    ),
    Mutation(
        "job: a timeout that is none",
        _OVERRIDES,
        "    if seconds <= 0:\n",
        "    if False:\n",
        (_JOBS,),
    ),
    Mutation(
        "job: a version that is not approved is asked to score",
        "shared/perennial/workflows/batch/scoring.py",
        "    if request.version not in head.approved:\n",
        "    if False:\n",
        ("tests/unit/batch/test_scoring.py::TestRequests",),
    ),
    Mutation(
        "predict: a version that is not approved answers",
        "shared/perennial/workflows/serving/pipeline.py",
        "        if self.head is None or version not in self.head.approved:\n",
        "        if self.head is None:\n",
        ("tests/unit/predict/test_contract.py",),
    ),
    Mutation(
        "forgery: forms are not checked",
        "shared/perennial/console/app.py",
        "        forgery.check(request.headers.get, request.cookies, given, request.host)\n",
        "",
        (f"{_ACTIONS}::TestForgery",),
    ),
    Mutation(
        "forgery: where the browser says that it comes from",
        _FORGERY,
        '    if site != "same-origin":\n',
        "    if False:\n",
        (f"{_ACTIONS}::TestForgery",),
    ),
    Mutation(
        "forgery: another origin",
        _FORGERY,
        "    if origin is not None and _host(origin) != host:\n",
        "    if False:\n",
        (f"{_ACTIONS}::TestForgery",),
    ),
    Mutation(
        "forgery: the secret of the form",
        _FORGERY,
        "    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):\n",
        "    if not kept:\n",
        (f"{_ACTIONS}::TestForgery",),
    ),
    Mutation(
        "forgery: a browser without a secret",
        _FORGERY,
        "    if not kept or not hmac.compare_digest(kept.encode(), given.encode()):\n",
        "    if not hmac.compare_digest(kept.encode(), given.encode()):\n",
        (f"{_ACTIONS}::TestForgery",),
    ),
    Mutation(
        "console: a viewer may act",
        "shared/perennial/console/app.py",
        "        if not caller.may_act:\n",
        "        if False:\n",
        (_ACTIONS,),
    ),
)
