"""The flows of config/flows/: whether the pipeline of the model that names one can run it."""

from pathlib import Path

from baton.specification.flow import FlowError, FlowNode, dataset_name, read_flow
from baton.specification.model import ModelSpecification

FLOWS = Path(__file__).parent.parent / "config" / "flows"

# What these learn, the endpoint would have to repeat on every request, and the endpoint does not run the flow.
LEARNING = ("sagemaker.spark.encode_categorical_0.1", "sagemaker.spark.process_numeric_0.1")


def check_flow(model: ModelSpecification, folder: Path) -> None:
    """Refuse a flow that the model's pipeline could not run, or whose outcome the endpoint would contradict.

    Raises:
        FlowError: It is so; the message begins with the flow's file.
    """
    if model.wrangler is None:
        return
    path = folder / model.wrangler.flow
    try:
        flow = read_flow(path)
        way = flow.way_to(flow.end(model.wrangler.node))
        dataset_name(way)
        for node in way:
            _refuse_skew(model, node)
    except FlowError as error:
        raise FlowError(f"{path}: {error}") from error


def _refuse_skew(model: ModelSpecification, node: FlowNode) -> None:
    """An input of the model that is scaled or encoded in training, and not when it is served, is another input."""
    if node.operator not in LEARNING:
        return
    inputs = {*model.features, *model.facets}
    for name, output in _rewritten(node.parameters):
        if name in inputs and (not output or output == name):
            raise FlowError(
                f"nodes: {node.node_id} ({node.operator}) replaces {name}, which the endpoint is given as it is; leave "
                "scaling and encoding to the training scripts, or give the result an output column of its own"
            )


def _rewritten(parameters: dict[str, object]) -> list[tuple[str, object]]:
    """Every column that the parameters name as input, at any depth, and the output column beside it."""
    found: list[tuple[str, object]] = []
    given = parameters.get("input_column")
    for name in given if isinstance(given, list) else [given]:
        if isinstance(name, str):
            found.append((name, parameters.get("output_column")))
    for inner in parameters.values():
        if isinstance(inner, dict):
            found += _rewritten(inner)
    return found
