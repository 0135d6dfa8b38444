"""Who the customers are: names, accounts and addresses of nobody, distinctive enough to be searched for.

Surnames, streets and towns are put together from syllables. Accounts have a bank code that no bank has and check digits
that are right; e-mail domains and the telephone country code are reserved for examples or for nobody.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]


def words(text: str) -> tuple[str, ...]:
    """The words of a line."""
    return tuple(text.split())


FEMALE = words(
    "Ada Amélie Beatriz Carmen Chloé Clara Daniela Elif Elena Fatima Greta Hanna Inês Ingrid Jana Katarína Lucía "
    "Léa Maja Marta Nadia Nora Olga Paula Petra Renée Rosa Sara Silvia Sofía Tove Ursula Vera Yara Zoë"
)
MALE = words(
    "Adam André Anton Bruno Carlos Daniel Diego Émile Erik Felix Georg Hugo Ivan Jan João Jonas Karel Lars Liam "
    "Luca Marco Martin Mats Miguel Nils Omar Oscar Pablo Paul Rafael René Samir Søren Stefan Théo Tomás Viktor"
)
BEGINNINGS = words("Al Ber Cor Dal Es Fal Gar Hol Iv Jor Kar Lin Mar Nor O'Dar Pel Quin Ros Sal Tor Ull Val Wes Yl Zam")
MIDDLES = words("a be ci dan e fer gi hal i kel lo mi no ör pa qui re sta te uv ve wi xa yn ze")
ENDINGS = words(
    "berg brand court dahl dotti ezza field grund heim holm ingen jürgens lund mann nova quist rossi sen thal ville"
)
STREETS = words("Birken Garten Hafen Kirch Linden Mühl Park Ring Sonnen Ufer")
DOMAINS = ("example.com", "example.org", "example.net")
PLAIN = str.maketrans("áàâãäåçéèêëíîïñóôõöøúüý", "aaaaaaceeeeiiinooooouuy", "' -")


def surname_choices() -> Texts:
    """Every surname there is."""
    return np.array([first + middle + last for first in BEGINNINGS for middle in MIDDLES for last in ENDINGS])


def emails(*, first_names: Texts, surnames: Texts, customer_ids: Integers) -> list[str]:
    """One address a customer, at a domain kept for examples."""
    return [
        f"{_plain(first)}.{_plain(last)}{number % 100_000}@{DOMAINS[number % len(DOMAINS)]}"
        for first, last, number in zip(first_names.tolist(), surnames.tolist(), customer_ids.tolist(), strict=True)
    ]


def phones(numbers: Integers) -> list[str]:
    """Numbers below +999, a country code that no country has."""
    return [f"+999 {number // 10**6:04d} {number % 10**6:06d}" for number in numbers.tolist()]


def addresses(*, streets: Integers, houses: Integers, towns: Texts, postcodes: Integers) -> list[str]:
    """A street, a house, a postcode and a town on one line."""
    return [
        f"{STREETS[street % len(STREETS)]}weg {house}, {postcode:05d} Bad {town}"
        for street, house, town, postcode in zip(
            streets.tolist(), houses.tolist(), towns.tolist(), postcodes.tolist(), strict=True
        )
    ]


def ibans(*, countries: Texts, accounts: Integers) -> list[str]:
    """Account numbers of bank 0, of the length and with the check digits of each country.

    Args:
        countries: France, Germany or Spain.
        accounts: Up to ten digits each.
    """
    national = {
        "Germany": ("DE", accounts, "0" * 8, 10),
        "France": ("FR", accounts * 100 + _french_key(accounts), "0" * 10, 13),
        "Spain": ("ES", _spanish_digits(accounts) * 10**10 + accounts, "0" * 8, 12),
    }
    numbers = np.empty(len(accounts), dtype="U34")
    for country, (code, tail, bank, digits) in national.items():
        here = countries == country
        # Letters count as 10 to 35. The bank's zeros add nothing to the remainder, so the tail fits 64 bits.
        letters = int("".join(str(ord(letter) - 55) for letter in code) + "00")
        check = 98 - (tail[here] % 97 * (10**6 % 97) + letters) % 97
        numbers[here] = [
            f"{code}{two:02d}{bank}{number:0{digits}d}"
            for two, number in zip(check.tolist(), tail[here].tolist(), strict=True)
        ]
    return [str(number) for number in numbers]


def _french_key(accounts: Integers) -> Integers:
    """Clé RIB; bank and branch are 0."""
    return 97 - accounts * 3 % 97


def _spanish_digits(accounts: Integers) -> Integers:
    """Dígitos de control: the first, of bank and branch 0, is 0; the second is of the account."""
    weights: Sequence[int] = (1, 2, 4, 8, 5, 10, 9, 7, 3, 6)
    total = sum(accounts // 10 ** (9 - place) % 10 * weight for place, weight in enumerate(weights))
    digit = 11 - np.asarray(total) % 11
    return np.where(digit == 11, 0, np.where(digit == 10, 1, digit)).astype(np.int64)


@cache
def _plain(name: str) -> str:
    return name.lower().translate(PLAIN)
