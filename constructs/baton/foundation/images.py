"""The images of AWS's own containers, by region: a small table instead of a lookup, so that synthesis needs no SDK."""

from dataclasses import dataclass
from typing import NamedTuple

XGBOOST_VERSION = "3.0-5"
CLARIFY_VERSION = "1.0"
DATA_WRANGLER_VERSION = "3.x"


class _Accounts(NamedTuple):
    """The accounts that hold the images in one region; None where AWS does not offer one."""

    xgboost: str
    model_monitor: str | None
    clarify: str | None
    data_wrangler: str | None


_ACCOUNTS = {
    "af-south-1": _Accounts("510948584623", "875698925577", "811711786498", "143210264188"),
    "ap-east-1": _Accounts("651117190479", "001633400207", "098760798382", "707077482487"),
    "ap-northeast-1": _Accounts("354813040037", "574779866223", "377024640650", "649008135260"),
    "ap-northeast-2": _Accounts("366743142698", "709848358524", "263625296855", "131546521161"),
    "ap-northeast-3": _Accounts("867004704886", "990339680094", "912233562940", "913387583493"),
    "ap-south-1": _Accounts("720646828776", "126357580389", "452307495513", "089933028263"),
    "ap-south-2": _Accounts("628508329040", None, None, None),
    "ap-southeast-1": _Accounts("121021644041", "245545462676", "834264404009", "119527597002"),
    "ap-southeast-2": _Accounts("783357654285", "563025443158", "007051062584", "422173101802"),
    "ap-southeast-3": _Accounts("951798379941", "669540362728", "705930551576", None),
    "ap-southeast-4": _Accounts("106583098589", None, None, None),
    "ca-central-1": _Accounts("341280168497", "536280801234", "675030665977", "557239378090"),
    "ca-west-1": _Accounts("190319476487", None, None, None),
    "cn-north-1": _Accounts("450853457545", "453000072557", "122526803553", "245909111842"),
    "cn-northwest-1": _Accounts("451049120500", "453252182341", "122578899357", "249157047649"),
    "eu-central-1": _Accounts("492215442770", "048819808253", "017069133835", "024640144536"),
    "eu-central-2": _Accounts("680994064768", "590183933784", "730335477804", None),
    "eu-north-1": _Accounts("662702820516", "895015795356", "763603941244", "054986407534"),
    "eu-south-1": _Accounts("978288397137", "933208885752", "638885417683", "488287956546"),
    "eu-south-2": _Accounts("104374241257", "437450045455", None, None),
    "eu-west-1": _Accounts("141502667606", "468650794304", "131013547314", "245179582081"),
    "eu-west-2": _Accounts("764974769150", "749857270468", "440796970383", "894491911112"),
    "eu-west-3": _Accounts("659782779980", "680080141114", "341593696636", "807237891255"),
    "il-central-1": _Accounts("898809789911", "843974653677", None, "406833011540"),
    "me-central-1": _Accounts("272398656194", "588750061953", None, None),
    "me-south-1": _Accounts("801668240914", "607024016150", "835444307964", "376037874950"),
    "sa-east-1": _Accounts("737474898029", "539772159869", "520018980103", "424196993095"),
    "us-east-1": _Accounts("683313688378", "156813124566", "205585389593", "663277389841"),
    "us-east-2": _Accounts("257758044811", "777275614652", "211330385671", "415577184552"),
    "us-west-1": _Accounts("746614075791", "890145073186", "740489534195", "926135532090"),
    "us-west-2": _Accounts("246618743249", "159807026194", "306415355426", "174368400705"),
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
        data_wrangler: Runs a Data Wrangler flow; None where the region lacks it.
    """

    xgboost: str
    managed: ManagedImages | None
    data_wrangler: str | None


def images_in(region: str, *, xgboost_digest: str | None = None) -> Images:
    """The image URIs of one region.

    Args:
        region: The region.
        xgboost_digest: Pins the container of our scripts to one build, as `sha256:…`; None: the newest of its version.

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
    wrangler = f"sagemaker-data-wrangler-container:{DATA_WRANGLER_VERSION}"
    build = f"@{xgboost_digest}" if xgboost_digest else f":{XGBOOST_VERSION}"
    return Images(
        xgboost=_uri(accounts.xgboost, region, f"sagemaker-xgboost{build}"),
        managed=managed,
        data_wrangler=_uri(accounts.data_wrangler, region, wrangler) if accounts.data_wrangler else None,
    )


def _uri(account: str, region: str, repository: str) -> str:
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}/{repository}"
