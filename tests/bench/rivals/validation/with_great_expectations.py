"""Great Expectations on pandas: one suite, validated with complete results, which name all rows."""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

import frames
import great_expectations as gx
from great_expectations import expectations as expect
from subject import ALLOWED, COLUMNS, KEY, NULLABLE, PATTERNS, RANGES, report

logging.disable(logging.WARNING)


def judge(path: Path) -> Iterable[int]:
    frame = frames.read(path)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("pandas").add_dataframe_asset("orders")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite("orders", expectations=list(expected()))
    found = batch.validate(suite, result_format="COMPLETE")
    rows: list[int] = []
    for one in found.results:
        if not one.success:
            failing = one.result["unexpected_index_list"]
            if one.expectation_config.type == "expect_column_values_to_be_unique":
                keys = frame[KEY].iloc[failing]  # the first row of a repeated key is no failure
                failing = keys.index[keys.duplicated()]
            rows.extend(failing)
    return [int(row) + 2 for row in rows]


def expected() -> Iterator[expect.Expectation]:
    yield expect.ExpectColumnValuesToBeUnique(column=KEY)
    for column in COLUMNS:
        if column not in NULLABLE:
            yield expect.ExpectColumnValuesToNotBeNull(column=column)
    for column in frames.MISREAD:
        yield expect.ExpectColumnValuesToBeInSet(column=f"{column} misread", value_set=[False])
    for column, (low, high) in RANGES.items():
        yield expect.ExpectColumnValuesToBeBetween(column=column, min_value=low, max_value=high)
    for column, values in ALLOWED.items():
        yield expect.ExpectColumnValuesToBeInSet(column=column, value_set=list(values))
    for column, pattern in PATTERNS.items():
        yield expect.ExpectColumnValuesToMatchRegex(column=column, regex=f"^{pattern}$")


report(judge)
