"""Builds the app: one Stage per environment, each with every model, checked by cdk-nag."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks, NIST80053R5Checks

from stacks.feature_lock import check_feature_groups
from stacks.registries import share_registries
from stacks.settings import ENVIRONMENTS, ConfigurationError, load_environment, load_models
from stacks.stage import EnvironmentStage

ROOT = Path(__file__).parent


def build(context: Mapping[str, Any] | None = None, *, outdir: str | None = None) -> cdk.App:
    """Build the app from config/.

    Only the CDK's command line reads cdk.json, so its context is passed here too: tests and `python app.py`
    see the flags that are deployed.

    Args:
        context: `environment` limits the app to one environment; `environments` names another folder of environments,
            `models` another file or folder of models; `commit` and `author` say whose code is deployed.
        outdir: Where the cloud assembly goes; the CDK's own choice by default.

    Raises:
        ConfigurationError: A configuration file, or the context, says something that cannot be deployed.
        FileNotFoundError: What `make install` fetches for the jobs is not there.
    """
    flags = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    app = cdk.App(context={**flags, **(context or {})}, outdir=outdir)
    chosen = app.node.try_get_context("environment")
    folder = Path(str(app.node.try_get_context("environments") or ROOT / "config" / "environments"))
    names = [str(chosen)] if chosen else list(ENVIRONMENTS)
    environments = [load_environment(name, folder) for name in names]
    models = load_models(_model_files(app.node.try_get_context("models")), environments)
    check_feature_groups(models, environments)
    # What one environment deploys also depends on who takes its versions, so the files of all are read.
    sharing = share_registries([load_environment(name, folder) for name in ENVIRONMENTS], models)
    for environment in environments:
        EnvironmentStage(
            app,
            environment.name,
            environment=environment,
            sharing=sharing[environment.name],
            models=models,
            source=ROOT,
            commit=str(app.node.try_get_context("commit") or "unknown"),
            author=str(app.node.try_get_context("author") or "unknown"),
        )
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app), NIST80053R5Checks(app))
    return app


def _model_files(location: Any) -> list[Path]:
    path = ROOT / str(location or "config/models")
    if path.is_dir():
        return list(path.glob("*.yaml"))
    if not path.is_file():
        raise ConfigurationError(f"{path}: there is no such model file or folder; mend the context value models")
    return [path]


if __name__ == "__main__":
    try:
        build().synth()
    except (ConfigurationError, FileNotFoundError) as error:
        sys.exit(f"baton: {error}")
