"""The container that serves one model is a Flask application that answers 500 to whatever a hook raises.

Here is such an application, as sagemaker-containers builds it: https://github.com/aws/sagemaker-containers
"""

import json
from collections.abc import Callable
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient

from pipeline_scripts.serving import inference
from pipeline_scripts.serving.inference import ServedModel
from tests.runtime.churn import Trained

Hook = Callable[[ServedModel, bytes | str, str, str], Any]


class ClientError(Exception):
    """What every exception of a hook becomes there."""


def container(served: ServedModel, hook: Hook) -> FlaskClient:
    app = flask.Flask("container")

    @app.post("/invocations")
    def invocations() -> Any:
        request = flask.request
        try:
            result = hook(served, request.get_data(), request.headers["Content-Type"], request.headers["Accept"])
        except Exception as error:
            raise ClientError(error) from error
        return flask.Response(result[0], mimetype=result[1]) if isinstance(result, tuple) else result

    return app.test_client()


def post(client: FlaskClient, body: str, *, kind: str = "text/csv", accept: str = "application/json") -> Any:
    return client.post("/invocations", data=body, headers={"Content-Type": kind, "Accept": accept})


@pytest.fixture
def row(trained: Trained) -> str:
    return str(trained.holdout().head(1)[list(trained.model.inputs)].to_csv(index=False, header=False))


def test_an_answer_has_its_content_type(served: ServedModel, row: str) -> None:
    reply = post(container(served, inference.transform_fn), row, accept="application/json; attributions=1")
    assert (reply.status_code, reply.mimetype) == (200, "application/json")
    assert json.loads(reply.text)["predictions"][0].keys() == {"probability", "label", "attributions", "others", "base"}


@pytest.mark.parametrize(
    ("changes", "status", "complaint"),
    [
        ({"body": "1,2"}, 400, "row 1 has 2 fields"),
        ({"kind": "image/png"}, 415, "content type 'image/png'"),
        ({"accept": "image/png"}, 406, "accept 'image/png'"),
    ],
)
def test_a_refusal_is_a_4xx_that_names_what_is_wrong(
    served: ServedModel, row: str, changes: dict[str, str], status: int, complaint: str
) -> None:
    reply = post(container(served, inference.transform_fn), **{"body": row, **changes})
    assert (reply.status_code, reply.mimetype) == (status, "text/plain")
    assert complaint in reply.text


def test_a_refusal_that_is_raised_would_be_a_500(served: ServedModel) -> None:
    def raising(model: ServedModel, body: bytes | str, kind: str, accept: str) -> Any:
        raise inference.RequestError("row 1 is wrong")

    assert post(container(served, raising), "1,2").status_code == 500
