"""Every operator that is run here, by its name in a flow. docs/data-wrangler.md lists the same ones."""

from embedded.wrangler.casting import cast_one, infer_and_cast
from embedded.wrangler.categories import ENCODE_CATEGORICAL
from embedded.wrangler.choices import Family, Transform
from embedded.wrangler.columns import MANAGE_COLUMNS
from embedded.wrangler.formula import custom_formula
from embedded.wrangler.missing import HANDLE_MISSING
from embedded.wrangler.outliers import HANDLE_OUTLIERS
from embedded.wrangler.rows import MANAGE_ROWS
from embedded.wrangler.scaling import PROCESS_NUMERIC
from embedded.wrangler.search import SEARCH_AND_EDIT
from embedded.wrangler.text import FORMAT_STRING

S3_SOURCE = "sagemaker.s3_source_0.1"

OPERATORS: dict[str, Family | Transform] = {
    "sagemaker.spark.infer_and_cast_type_0.1": Transform(function=infer_and_cast),
    "sagemaker.spark.cast_single_data_type_0.1": Transform(function=cast_one),
    "sagemaker.spark.manage_columns_0.1": MANAGE_COLUMNS,
    "sagemaker.spark.manage_rows_0.1": MANAGE_ROWS,
    "sagemaker.spark.handle_missing_0.1": HANDLE_MISSING,
    "sagemaker.spark.handle_outliers_0.1": HANDLE_OUTLIERS,
    "sagemaker.spark.format_string_0.1": FORMAT_STRING,
    "sagemaker.spark.search_and_edit_0.1": SEARCH_AND_EDIT,
    "sagemaker.spark.encode_categorical_0.1": ENCODE_CATEGORICAL,
    "sagemaker.spark.process_numeric_0.1": PROCESS_NUMERIC,
    "sagemaker.spark.custom_formula_0.1": Transform(function=custom_formula),
}


def listing() -> dict[str, tuple[str, ...]]:
    """The operators and the transforms of each; an operator that is itself one transform has none to list."""
    return {name: made.names() if isinstance(made, Family) else () for name, made in OPERATORS.items()}
