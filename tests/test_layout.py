"""The one trap of this layout: constructs/ is a source root, not a package."""

from pathlib import Path

import constructs

ROOT = Path(__file__).parent.parent


def test_constructs_folder_is_no_package() -> None:
    assert not (ROOT / "constructs" / "__init__.py").exists()


def test_constructs_import_is_the_library() -> None:
    assert constructs.__file__ is not None
    assert not Path(constructs.__file__).is_relative_to(ROOT / "constructs")


def test_required_places_exist() -> None:
    for place in (
        "app.py",
        "cdk.json",
        "requirements.txt",
        "stacks",
        "constructs",
        "pipeline_scripts",
        "tests",
        "README.md",
    ):
        assert (ROOT / place).exists(), place


def test_required_packages_are_pinned() -> None:
    pins = (ROOT / "requirements.txt").read_text()
    for package in ("aws-cdk-lib", "constructs", "sagemaker", "boto3", "pytest", "cdk-nag"):
        assert f"\n{package}==" in f"\n{pins}", package
