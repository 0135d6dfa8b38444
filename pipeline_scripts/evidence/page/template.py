"""How every page is put together: escaped, complete or refused, with its style inside."""

from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    select_autoescape,
)
from markupsafe import Markup

PACKAGE = "pipeline_scripts.evidence.page"
"""Where the parts lie, in a folder or in the zip that ships the code of jobs."""


def fill(template: str, content: Mapping[str, Any], *, beside: Path | None = None) -> str:
    """Fill a template, of this folder or of the folder `beside`, which may use the parts that lie in this one.

    Raises:
        jinja2.UndefinedError: The template asks for what `content` does not tell.
    """
    parts = PackageLoader(PACKAGE, package_path="")
    environment = Environment(
        loader=ChoiceLoader([FileSystemLoader(beside), parts]) if beside else parts,
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["short"] = lambda text, length=12: text if len(text) <= length else f"{text[:length]}…"
    style = Markup(resources.files(PACKAGE).joinpath("page.css").read_text(encoding="utf-8"))
    return environment.get_template(template).render(style=style, **content)
