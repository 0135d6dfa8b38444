"""Starts a script in a SageMaker container: `python3 -m pipeline_scripts training.train …`.

The containers have no way to a package index, so the few libraries they lack travel with the job as wheels.
"""

import importlib
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path


def missing_wheels(wheels: list[Path]) -> list[Path]:
    """The wheels whose project is not installed here at exactly the wheel's version."""
    missing = []
    for wheel in wheels:
        project, version = wheel.name.split("-")[:2]
        try:
            installed = metadata.version(re.sub(r"[-_.]+", "-", project))
        except metadata.PackageNotFoundError:
            installed = None
        if installed != version:
            missing.append(wheel)
    return missing


def install_wheels(folder: Path) -> None:
    """Make the libraries of the zips in `folder` importable, without a network.

    Raises:
        subprocess.CalledProcessError: pip refused a wheel; its own message is on stderr.
    """
    target = Path(tempfile.mkdtemp(prefix="wheels-"))
    for archive in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(archive) as content:
            content.extractall(target / "archive")
    missing = missing_wheels(sorted((target / "archive").glob("*.whl")))
    if not missing:
        return
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        "--target",
        str(target / "site"),
    ]
    subprocess.run([*command, *map(str, missing)], check=True)
    sys.path.insert(0, str(target / "site"))


def main(arguments: list[str]) -> int:
    """Install what is missing and hand over to `pipeline_scripts.<first argument>`."""
    if not arguments:
        print("name the script to run, for example: python3 -m pipeline_scripts training.train", file=sys.stderr)
        return 2
    wheels = os.environ.get("BATON_WHEELS")
    if wheels:
        install_wheels(Path(wheels))
    script = importlib.import_module(f"pipeline_scripts.{arguments[0]}")
    return int(script.main(arguments[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
