"""Our table of images says what the SageMaker SDK says."""

import aws_cdk as cdk
import pytest
from sagemaker.core import image_uris

from baton.foundation.container_role import repository_arn
from baton.foundation.images import CLARIFY_VERSION, DATA_WRANGLER_VERSION, REGIONS, XGBOOST_VERSION, images_in


@pytest.mark.parametrize("region", REGIONS)
def test_images_are_those_of_the_sdk(region: str) -> None:
    images = images_in(region)

    assert images.xgboost == image_uris.retrieve("xgboost", region=region, version=XGBOOST_VERSION)
    if images.managed is None:
        with pytest.raises(ValueError, match="Unsupported region"):
            for framework in ("model-monitor", "clarify"):
                image_uris.retrieve(framework, region=region)
    else:
        assert images.managed.model_monitor == image_uris.retrieve("model-monitor", region=region)
        assert images.managed.clarify == image_uris.retrieve("clarify", region=region, version=CLARIFY_VERSION)


@pytest.mark.parametrize("region", REGIONS)
def test_the_image_of_data_wrangler_is_that_of_the_sdk(region: str) -> None:
    def ask_the_sdk() -> str:
        return str(image_uris.retrieve("data-wrangler", region=region, version=DATA_WRANGLER_VERSION))

    if images_in(region).data_wrangler is None:
        with pytest.raises(ValueError, match="Unsupported region"):
            ask_the_sdk()
    else:
        assert images_in(region).data_wrangler == ask_the_sdk()


def test_a_digest_pins_the_container_and_its_repository_stays_the_one_that_may_be_pulled() -> None:
    digest = f"sha256:{'ab' * 32}"
    pinned = images_in("eu-west-1", xgboost_digest=digest).xgboost
    newest = images_in("eu-west-1").xgboost
    assert pinned == f"{newest.partition(':')[0]}@{digest}"
    stack = cdk.Stack()
    assert repository_arn(stack, pinned) == repository_arn(stack, newest)


def test_every_environment_of_ours_can_use_either_backend() -> None:
    assert images_in("eu-west-1").managed is not None


def test_fails_when_the_region_is_unknown() -> None:
    with pytest.raises(ValueError, match="no image is known for region 'mars-north-1'"):
        images_in("mars-north-1")
