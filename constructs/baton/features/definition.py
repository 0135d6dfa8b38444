"""What a model's feature group is, as plain data: what SageMaker is asked for, and what the lock compares."""

from dataclasses import dataclass

from baton.specification.feature_store import DATASET_RUN, EVENT_TIME
from baton.specification.model import ModelSpecification

FEATURE_TYPES = {"integer": "Integral", "boolean": "Integral", "double": "Fractional", "string": "String"}


@dataclass(frozen=True, kw_only=True)
class FeatureGroupDefinition:
    """A feature group by its name, and what of it can never be changed.

    `features` are names and SageMaker's types, in order: the identifier, the event time, the run of the ETL job that
    made the row, and the model's inputs. `ttl_days` is the one thing besides more features that an update may bring.
    """

    name: str
    record_identifier: str
    features: tuple[tuple[str, str], ...]
    online: bool
    ttl_days: int | None
    offline_prefix: str
    table_name: str

    @property
    def event_time(self) -> str:
        """The feature that says since when a record holds: when its data set was made, as ISO 8601 in UTC."""
        return EVENT_TIME


def define_feature_group(environment: str, model: ModelSpecification) -> FeatureGroupDefinition:
    """The feature group of a model in an environment.

    Raises:
        ValueError: The model has no feature store, or no surrogate to find its records by.
    """
    store, identifier = model.feature_store, model.surrogate
    if store is None or identifier is None:
        raise ValueError(f"{model.name}: a feature group needs feature_store and a surrogate column")
    version = "" if store.version == 1 else f"-v{store.version}"
    inputs = tuple((name, FEATURE_TYPES[model.outputs[name].curated_type]) for name in model.inputs)
    own = ((identifier, "String"), (EVENT_TIME, "String"), (DATASET_RUN, "String"))
    return FeatureGroupDefinition(
        name=f"baton-{environment}-{model.slug}{version}",
        record_identifier=identifier,
        features=(*own, *inputs),
        online=store.online,
        ttl_days=store.ttl_days,
        offline_prefix=f"{model.name}/offline-store",
        table_name=f"{model.name}_features{version.replace('-', '_')}",
    )
