"""The images of AWS's own containers, by region: a small table instead of a lookup, so that synthesis needs no SDK."""

from dataclasses import dataclass
from typing import NamedTuple

XGBOOST_VERSION = "3.0-5"
CLARIFY_VERSION = "1.0"


class _Accounts(NamedTuple):
    """The accounts that hold the images in one region; None where AWS does not offer one."""

    xgboost: str
    model_monitor: str | None
    clarify: str | None


_ACCOUNTS = {
    "af-south-1": _Accounts("510948584623", "875698925577", "811711786498"),
    "ap-east-1": _Accounts("651117190479", "001633400207", "098760798382"),
    "ap-northeast-1": _Accounts("354813040037", "574779866223", "377024640650"),
    "ap-northeast-2": _Accounts("366743142698", "709848358524", "263625296855"),
    "ap-northeast-3": _Accounts("867004704886", "990339680094", "912233562940"),
    "ap-south-1": _Accounts("720646828776", "126357580389", "452307495513"),
    "ap-south-2": _Accounts("628508329040", None, None),
    "ap-southeast-1": _Accounts("121021644041", "245545462676", "834264404009"),
    "ap-southeast-2": _Accounts("783357654285", "563025443158", "007051062584"),
    "ap-southeast-3": _Accounts("951798379941", "669540362728", "705930551576"),
    "ap-southeast-4": _Accounts("106583098589", None, None),
    "ca-central-1": _Accounts("341280168497", "536280801234", "675030665977"),
    "ca-west-1": _Accounts("190319476487", None, None),
    "cn-north-1": _Accounts("450853457545", "453000072557", "122526803553"),
    "cn-northwest-1": _Accounts("451049120500", "453252182341", "122578899357"),
    "eu-central-1": _Accounts("492215442770", "048819808253", "017069133835"),
    "eu-central-2": _Accounts("680994064768", "590183933784", "730335477804"),
    "eu-north-1": _Accounts("662702820516", "895015795356", "763603941244"),
    "eu-south-1": _Accounts("978288397137", "933208885752", "638885417683"),
    "eu-south-2": _Accounts("104374241257", "437450045455", None),
    "eu-west-1": _Accounts("141502667606", "468650794304", "131013547314"),
    "eu-west-2": _Accounts("764974769150", "749857270468", "440796970383"),
    "eu-west-3": _Accounts("659782779980", "680080141114", "341593696636"),
    "il-central-1": _Accounts("898809789911", "843974653677", None),
    "me-central-1": _Accounts("272398656194", "588750061953", None),
    "me-south-1": _Accounts("801668240914", "607024016150", "835444307964"),
    "sa-east-1": _Accounts("737474898029", "539772159869", "520018980103"),
    "us-east-1": _Accounts("683313688378", "156813124566", "205585389593"),
    "us-east-2": _Accounts("257758044811", "777275614652", "211330385671"),
    "us-west-1": _Accounts("746614075791", "890145073186", "740489534195"),
    "us-west-2": _Accounts("246618743249", "159807026194", "306415355426"),
}

REGIONS = tuple(_ACCOUNTS)


@dataclass(frozen=True, kw_only=True)
class ManagedImages:
    """The containers of the `managed` analysis backend."""

    model_monitor: str
    clarify: str


@dataclass(frozen=True, kw_only=True)
class Images:
    """The containers that a region offers.

    Args:
        xgboost: Trains, serves and runs every script of ours.
        managed: What the `managed` analysis backend needs; None where the region lacks a part of it.
    """

    xgboost: str
    managed: ManagedImages | None


def images_in(region: str) -> Images:
    """The image URIs of one region.

    Raises:
        ValueError: The region is not in the table.
    """
    if region not in _ACCOUNTS:
        raise ValueError(f"no image is known for region {region!r}; add its accounts to baton/foundation/images.py")
    accounts = _ACCOUNTS[region]
    managed = None
    if accounts.model_monitor and accounts.clarify:
        managed = ManagedImages(
            model_monitor=_uri(accounts.model_monitor, region, "sagemaker-model-monitor-analyzer"),
            clarify=_uri(accounts.clarify, region, f"sagemaker-clarify-processing:{CLARIFY_VERSION}"),
        )
    return Images(xgboost=_uri(accounts.xgboost, region, f"sagemaker-xgboost:{XGBOOST_VERSION}"), managed=managed)


def _uri(account: str, region: str, repository: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}/{repository}"
