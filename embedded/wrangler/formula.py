"""Custom formula: an expression of Spark SQL, on Spark."""

import re

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from embedded.wrangler.choices import OperatorFailed, OperatorRefused

# These call any method of the Java machine, which is no formula any more.
_CALLS_JAVA = re.compile(r"\b(java_method|reflect|try_reflect)\s*\(", re.IGNORECASE)


def custom_formula(table: DataFrame, formula: str, output_column: str) -> DataFrame:
    """Add what an expression gives in each row."""
    called = _CALLS_JAVA.search(formula)
    if called:
        raise OperatorRefused(f"function {called.group(1)}")
    try:
        return table.withColumn(output_column, F.expr(formula))
    except (AnalysisException, ParseException) as error:
        raise OperatorFailed(f"parameter formula: {str(error).strip().splitlines()[0]}") from error
