"""As little as can be between a request and XGBoost: Starlette on uvicorn, numbers already encoded, no check."""

import json
import os

import numpy as np
import xgboost
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

booster = xgboost.Booster(model_file=os.environ["MODEL_FILE"])
booster.set_param({"nthread": 1})


async def ping(request: Request) -> Response:
    return Response()


async def invocations(request: Request) -> Response:
    rows = np.array(json.loads(await request.body())["instances"], dtype=np.float32)
    answers = booster.inplace_predict(rows).tolist()
    return Response(json.dumps({"predictions": answers}), media_type="application/json")


app = Starlette(routes=[Route("/ping", ping), Route("/invocations", invocations, methods=["POST"])])
