import string
from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from embedded.sample.customers import customers
from pipeline_scripts.etl.leaks import find_patterns
from pipeline_scripts.etl.patterns import IBAN_LENGTHS, KINDS, iban_remainder, kinds_in, passes_luhn
from pipeline_scripts.model import parse_model
from stacks.settings import load_models
from tests.runtime.etl.workbench import REPO

IBAN, CARD, EMAIL, PHONE = "IBAN", "payment card number", "e-mail address", "phone number"
DNI, NIR, CODICE, BSN = (
    f"national identity number ({name})" for name in ("DNI or NIE", "NIR", "codice fiscale", "BSN")
)
SURROUNDINGS = st.text(string.ascii_letters + string.digits + " .,;:-\n", max_size=40)


def with_iban_digits(country: str, account: str) -> str:
    return f"{country}{98 - iban_remainder(f'{country}00{account}'):02d}{account}"


def with_luhn_digit(digits: str) -> str:
    return next(digits + check for check in string.digits if passes_luhn(digits + check))


def in_fours(text: str, gap: str) -> str:
    return gap.join(text[start : start + 4] for start in range(0, len(text), 4))


ibans = st.sampled_from(sorted(IBAN_LENGTHS)).flatmap(
    lambda country: st.text(
        string.ascii_uppercase + string.digits, min_size=IBAN_LENGTHS[country] - 4, max_size=IBAN_LENGTHS[country] - 4
    ).map(lambda account: with_iban_digits(country, account))
)
ISSUERS = (("4", 14), ("51", 13), ("2221", 11), ("34", 12), ("6011", 11), ("62", 16), ("36", 11))


def numbers_of(first: str, more: int) -> st.SearchStrategy[str]:
    return st.text(string.digits, min_size=more, max_size=more).map(lambda rest: with_luhn_digit(first + rest))


cards = st.one_of(*(numbers_of(*issuer) for issuer in ISSUERS))


@given(iban=ibans, gap=st.sampled_from(["", " ", "-"]), before=SURROUNDINGS, after=SURROUNDINGS)
def test_every_iban_is_found_inside_text(iban: str, gap: str, before: str, after: str) -> None:
    assert IBAN in kinds_in(f"{before}\n{in_fours(iban, gap)}\n{after}")
    assert IBAN in kinds_in(f"{before} {in_fours(iban, gap).lower()} {after}")


@given(card=cards, before=SURROUNDINGS, after=SURROUNDINGS)
def test_every_card_number_is_found_inside_text(card: str, before: str, after: str) -> None:
    assert CARD in kinds_in(f"{before} {card} {after}")


@given(
    card=numbers_of("4", 14),
    gap=st.sampled_from([" ", "-"]),
    before=SURROUNDINGS,
    after=SURROUNDINGS,
)
def test_every_card_number_in_groups_is_found_inside_text(card: str, gap: str, before: str, after: str) -> None:
    assert CARD in kinds_in(f"{before} {in_fours(card, gap)} {after}")


@given(iban=ibans, place=st.integers(2, 14))
def test_one_wrong_digit_is_no_iban(iban: str, place: int) -> None:
    if iban[place].isdigit():
        wrong = str((int(iban[place]) + 1) % 10)
        assert IBAN not in kinds_in(iban[:place] + wrong + iban[place + 1 :])


@given(st.text(string.ascii_letters + " àéîöüßñçł.,;'\n", max_size=300))
def test_words_are_never_personal_data(text: str) -> None:
    assert kinds_in(text) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to ada.lindqvist+bank@mail.example.org, please", EMAIL),
        ("<jürgen@example.de>", EMAIL),
        ("called +49 30 1234567 twice", PHONE),
        ("+33612345678", PHONE),
        ("0044 20 7946 0958", PHONE),
        ("(030) 123 45 67", PHONE),
        ("0171/1234567", PHONE),
        ("06 12 34 56 78", PHONE),
        ("01.42.68.53.00", PHONE),
        ("612 34 56 78", PHONE),
        ("(212) 555-0100", PHONE),
        ("tel: 612345678", PHONE),
        ("her DNI is 12345678Z.", DNI),
        ("X1234567L", DNI),
        ("1 85 05 78 006 084 91", NIR),
        ("RSSMRA85T10A562S", CODICE),
        ("BSN: 111222333", BSN),
    ],
)
def test_a_written_form_is_found(text: str, kind: str) -> None:
    assert kinds_in(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "France", "Female", "order 4500012345", "1234567890123", "ORD-2026-000123", "INV20260115", "20260115103000",
        "1768473000", "1768473000123", "2026-01-15", "15.01.2026", "01.02.2026 10:30", "2026-01-15T10:30:00.000+01:00",
        "01/02/2026 10.30", "2026-01-15 - 2026-02-15", "10117", "75008 Paris", "1,234,567.89", "1.234.567,89",
        "4111111111111111.00", "1 234 567 890", "-120000.55", "+1500", "0.123456789012345", "000123456", "4711",
        "4111 1111 1111 1112", "0000000000000000", "DE02100100100006820102", "12345678A", "111222333", "a@b", "@home",
        "RSSMRA85T10A562A", "1 85 05 78 006 084 92", "192.168.100.200", "10.11.5", "version 1.2.3-4",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "123e4567-e89b-12d3-a456-426614174000",
    ],
)  # fmt: skip
def test_other_numbers_are_no_personal_data(text: str) -> None:
    assert kinds_in(text) == []


def test_spark_prefilter_finds_what_python_finds(spark: SparkSession) -> None:
    texts = {
        IBAN: f"to {in_fours(with_iban_digits('DE', '100100100006820101'), ' ')} please",
        CARD: with_luhn_digit("411111111111111"),
        EMAIL: "ada@example.org",
        PHONE: "+49 30 1234567",
        DNI: "12345678Z",
        NIR: "185057800608491",
        CODICE: "RSSMRA85T10A562S",
        BSN: "BSN 111222333",
    }
    frame = spark.createDataFrame([(text,) for text in texts.values()], "text string")
    for name, text in texts.items():
        found = {
            row["text"]
            for kind in KINDS
            if kind.name == name
            for row in frame.where(frame["text"].rlike(kind.candidate)).collect()
        }
        assert text in found
        assert kinds_in(text) == [name]


def test_sample_customers_keep_nothing_that_looks_personal(spark: SparkSession) -> None:
    content = load_models([REPO / "config/models/bank_churn.yaml"], [])[0].model_dump(mode="json")
    table = customers(rows=500, seed=7)
    texts = table[[name for name, column in content["columns"].items() if column["type"] == "string"]]
    frame = spark.createDataFrame(list(texts.itertuples(index=False, name=None)), list(texts.columns))
    renamed = frame.withColumnsRenamed({name: content["columns"][name]["output"] or name for name in texts.columns})
    assert find_patterns(output=renamed, model=parse_model(content)) == []
    for name in ("ACCOUNT_NUMBER", "EMAIL", "PHONE"):  # the control: kept, each of them would be found
        content["columns"][name] |= {"treatment": "keep", "output": name}
    problems = find_patterns(
        output=frame.withColumnsRenamed({"GENDER": "gender", "COUNTRY": "country"}), model=parse_model(content)
    )
    assert [problem.split(" different")[0] for problem in problems] == [
        f"{name}: {table[name].nunique()}" for name in ("ACCOUNT_NUMBER", "EMAIL", "PHONE")
    ]


def test_numbers_and_dates_of_the_sample_are_no_personal_data_as_text() -> None:
    table = customers(rows=2_000, seed=7).drop(columns=["ACCOUNT_NUMBER", "EMAIL", "PHONE"])
    assert isinstance(table["DATE_OF_BIRTH"].iloc[0], date)
    cells = pd.unique(table.astype(str).to_numpy().ravel())
    assert [cell for cell in cells if kinds_in(cell)] == []
