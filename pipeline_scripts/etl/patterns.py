"""What personal data looks like, and the check digits that tell it from other numbers: plain Python, no Spark.

Every kind has one expression that finds where it may stand, in the syntax that Python and Java share so that Spark's
own functions can look first, and one function that says whether it truly does. Where a kind has check digits they
decide; where it has none (e-mail, phone) the expression asks for a form that identifiers, amounts and dates lack.

Sources of the forms and checks:
    IBAN: ISO 13616 and the SWIFT IBAN Registry (a length for each country), ISO 7064 MOD 97-10.
    Payment card: ISO/IEC 7812-1, annex B (Luhn), and the first digits and lengths that the schemes issue.
    E-mail address: RFC 5321, without quoted local parts and address literals.
    Phone number: ITU-T E.164 (at most 15 digits) and E.123 (how groups are written).
    Spanish DNI and NIE: Real Decreto 1553/2005 and Orden INT/2058/2008; the letter is the number modulo 23.
    French NIR: décret 82-103 and the INSEE's key, 97 less the number modulo 97 (Corsica's 2A, 2B count as 19, 18).
    Italian codice fiscale: decreto ministeriale of 23 December 1976; the last letter is a weighted sum modulo 26.
    Dutch BSN: Logisch Ontwerp GBA, the 11-proof; one number in eleven passes, so its name must stand before it.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

_ALONE, _ENDS = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_GAP = r"[ \u00a0-]"
_FIRST = r"(?<![A-Za-z0-9.,/+-])(?<![0-9][ \u00a0])"  # not a later group of a longer number
_COUNTRY_LENGTHS = """
    NO15 BE16 DK18 FI18 FK18 FO18 GL18 NL18 SD18 MK19 SI19 AT20 BA20 EE20 KZ20 LT20 LU20 MN20 XK20 CH21 HR21 LI21 LV21
    BG22 BH22 CR22 DE22 GB22 GE22 IE22 ME22 RS22 VA22 AE23 GI23 IL23 IQ23 OM23 SO23 TL23 AD24 CZ24 ES24 MD24 PK24 RO24
    SA24 SE24 SK24 TN24 VG24 LY25 PT25 ST25 IS26 TR26 BI27 DJ27 FR27 GR27 IT27 MC27 MR27 SM27 AL28 AZ28 BY28 CY28 DO28
    GT28 HN28 HU28 LB28 NI28 PL28 SV28 BR29 EG29 PS29 QA29 UA29 JO30 KW30 MU30 YE30 MT31 SC31 LC32 RU33
"""
IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in _COUNTRY_LENGTHS.split()}
# Amex, Diners, JCB and UnionPay, Visa, Mastercard, Discover and Maestro.
_ISSUED = re.compile(
    r"3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11,16}|(?:35|62)\d{14,17}|4(?:\d{12}|\d{15}|\d{18})"
    r"|(?:5[1-5]|2[2-7])\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12,15}|(?:5[0678]|6[37])\d{11,17}"
)
_PRINTED = {(4, 4, 4, 4), (4, 4, 4, 1), (4, 4, 4, 4, 1), (4, 4, 4, 4, 2), (4, 4, 4, 4, 3), (4, 6, 5), (4, 6, 4)}
_DATE = re.compile(r"\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20)\d{2}(?!\d)|(?:19|20)\d{2}[ ./-]\d{1,2}[ ./-]\d{1,2}(?!\d)")
_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_CODICE_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)


# Every kind has an @, seven digits, or the sixteen letters and digits of a codice fiscale whose digits became letters:
# one simple look at a text saves eleven expressions on nearly all of them.
POSSIBLE = r"@|(?:[0-9][^0-9]{0,20}){7}|(?<![A-Za-z0-9])[A-Za-z]{6}[0-9A-Za-z]{10}(?![A-Za-z0-9])"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of personal data.

    Args:
        key: As a column's `may_look_like` names it.
        name: In words, for the reason of a quarantine.
        candidate: Where it may stand: a regular expression for Python and Java alike.
        holds: Whether it stands where the candidate was found, given the text and the match.
    """

    key: str
    name: str
    candidate: str
    holds: Callable[[str, re.Match[str]], bool]


def kinds_in(text: str, *, but: Collection[str] = ()) -> list[str]:
    """The names of the kinds of personal data that `text` holds, other than those whose key is in `but`."""
    return [
        kind.name
        for kind, expression in _COMPILED
        if kind.key not in but and any(kind.holds(text, match) for match in expression.finditer(text))
    ]


def passes_luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[::-2]))) % 10 == 0


def iban_remainder(iban: str) -> int:
    """The IBAN modulo 97, its first four characters moved to the end: 1 for a valid one."""
    return int("".join(str(int(character, 36)) for character in iban[4:] + iban[:4])) % 97


def _is_iban(text: str, match: re.Match[str]) -> bool:
    length = IBAN_LENGTHS.get(match["iban"][:2].upper())
    if length is None:
        return False
    form = rf"[A-Za-z0-9](?:{_GAP}?[A-Za-z0-9]){{{length - 1}}}{_ENDS}"
    whole = re.compile(form).match(text, match.start())
    return whole is not None and iban_remainder(re.sub(_GAP, "", whole[0]).upper()) == 1


def _is_card(text: str, match: re.Match[str]) -> bool:
    groups = re.split(_GAP, match[0])
    if _is_issued("".join(groups)):
        return True
    # Other numbers may stand beside it: then only the groups printed on cards count.
    return any(
        _is_issued("".join(groups[start : start + size]))
        for start in range(len(groups))
        for size in (1, 3, 4, 5)
        if size == 1 or tuple(map(len, groups[start : start + size])) in _PRINTED
    )


def _is_issued(digits: str) -> bool:
    return _ISSUED.fullmatch(digits) is not None and len(set(digits)) > 1 and passes_luhn(digits)


def _is_international(text: str, match: re.Match[str]) -> bool:
    digits = sum(character.isdigit() for character in match[0])
    written_apart = re.search(r"\d[^0-9]+\d", match[0]) is not None
    return (8 if written_apart else 9) <= digits <= 15


def _is_national(text: str, match: re.Match[str]) -> bool:
    digits = sum(character.isdigit() for character in match[0])
    return 9 <= digits <= 12 and not _DATE.search(match[0])


def _always(text: str, match: re.Match[str]) -> bool:
    return True


def _is_dni(text: str, match: re.Match[str]) -> bool:
    number = str("XYZ".find(match["series"])) if match["series"] else ""
    return _DNI_LETTERS[int(number + match["number"]) % 23] == match["letter"]


def _is_nir(text: str, match: re.Match[str]) -> bool:
    plain = re.sub(_GAP, "", match[0]).upper()
    number = plain[:13].replace("2A", "19").replace("2B", "18")
    return 97 - int(number) % 97 == int(plain[13:])


def _is_codice(text: str, match: re.Match[str]) -> bool:
    code = match[0].upper()
    odd = sum(_CODICE_ODD[character] for character in code[0:15:2])
    even = sum(int(character) if character.isdigit() else ord(character) - ord("A") for character in code[1:15:2])
    return chr(ord("A") + (odd + even) % 26) == code[15]


def _is_bsn(text: str, match: re.Match[str]) -> bool:
    digits = [int(character) for character in match["number"] if character.isdigit()]
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return any(digits) and sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11 == 0


_NO_AMOUNT = r"(?![A-Za-z0-9]|[.,][0-9])"
_CALL = (
    r"(?:[Tt]el|TEL|[Tt][ée]l|[Pp]hone|PHONE|[Mm]obile|[Mm]obil|[Mm][óo]vil|[Tt]elefon|[Tt]elefono|[Tt][ée]l[ée]phone)"
)
_CODICE_DIGIT = "[0-9LMNPQRSTUVlmnpqrstuv]"  # letters stand for digits where two people would have the same code
KINDS = (
    # Found as a lookahead, so that one candidate cannot hide another that begins inside it.
    Kind(
        key="iban",
        name="IBAN",
        candidate=_ALONE + r"(?=(?<iban>[A-Za-z]{2}[0-9]{2}))" + rf"(?=(?:[A-Za-z0-9]{_GAP}?){{15}})",
        holds=_is_iban,
    ),
    Kind(
        key="payment_card",
        name="payment card number",
        candidate=rf"(?<![A-Za-z0-9])(?<![0-9][.,])(?=[0-9](?:{_GAP}?[0-9]){{12}})[0-9]+(?:{_GAP}[0-9]+){{0,99}}{_NO_AMOUNT}",
        holds=_is_card,
    ),
    Kind(
        key="email",
        name="e-mail address",
        candidate=r"[^\s@]@(?:[A-Za-z0-9-]{1,63}\.){1,20}[A-Za-z]{2,24}",
        holds=_always,
    ),
    Kind(
        key="phone",
        name="phone number",
        candidate=_ALONE
        + r"(?:\+[1-9]|(?<![0-9][ \u00a0-])00[1-9](?=[0-9]{0,2}[ .()/-]))"
        + rf"(?:[ \u00a0.()/-]{{0,3}}[0-9]){{7,14}}{_NO_AMOUNT}",
        holds=_is_international,
    ),
    Kind(
        key="phone",
        name="phone number",
        candidate=_FIRST + r"\(?0[1-9][0-9]{0,3}\)?[ \u00a0./-]{1,2}[0-9]{2,8}"
        rf"(?:[ \u00a0.-][0-9]{{2,4}}){{0,4}}{_NO_AMOUNT}",
        holds=_is_national,
    ),
    Kind(
        key="phone",
        name="phone number",  # Spain's and North America's ways of grouping, which have no leading zero
        candidate=_FIRST + r"(?:[6-9][0-9]{2}(?: [0-9]{2}){3}|[2-9][0-9]{2}([.-])[2-9][0-9]{2}\1[0-9]{4}"
        rf"|\([2-9][0-9]{{2}}\) ?[2-9][0-9]{{2}}[ .-][0-9]{{4}}){_NO_AMOUNT}",
        holds=_always,
    ),
    Kind(
        key="phone",
        name="phone number",  # as plain digits, after a word that says so
        candidate=rf"(?<![A-Za-z]){_CALL}[.:# ]{{1,3}}[0-9](?:[ .-]?[0-9]){{6,13}}{_NO_AMOUNT}",
        holds=_always,
    ),
    Kind(
        key="national_id",
        name="national identity number (DNI or NIE)",
        candidate=rf"{_ALONE}(?:(?<series>[XYZ])-?(?=[0-9]{{7}}[A-Z-])|(?=[0-9]{{8}}[A-Z-]))"
        rf"(?<number>[0-9]{{7,8}})-?(?<letter>[A-HJ-NP-TV-Z]){_ENDS}",
        holds=_is_dni,
    ),
    Kind(
        key="national_id",
        name="national identity number (NIR)",
        candidate=rf"{_ALONE}[12]{_GAP}?[0-9]{{2}}{_GAP}?(?:0[1-9]|1[0-2]|[2-9][0-9]){_GAP}?(?:[0-9]{{2}}|2[ABab])"
        rf"{_GAP}?[0-9]{{3}}{_GAP}?[0-9]{{3}}{_GAP}?[0-9]{{2}}{_NO_AMOUNT}",
        holds=_is_nir,
    ),
    Kind(
        key="national_id",
        name="national identity number (codice fiscale)",
        candidate=rf"{_ALONE}[A-Za-z]{{6}}{_CODICE_DIGIT}{{2}}[A-EHLMPRSTa-ehlmprst]{_CODICE_DIGIT}{{2}}"
        rf"[A-Za-z]{_CODICE_DIGIT}{{3}}[A-Za-z]{_ENDS}",
        holds=_is_codice,
    ),
    Kind(
        key="national_id",
        name="national identity number (BSN)",
        candidate=r"(?<![A-Za-z])(?:BSN|bsn|[Bb]urgerservicenummer|[Ss]ofinummer)[^0-9]{1,5}"
        rf"(?<number>[0-9]{{4}}[ .]?[0-9]{{2}}[ .]?[0-9]{{3}}){_NO_AMOUNT}",
        holds=_is_bsn,
    ),
)
# Python alone writes a named group with a P.
_COMPILED = tuple((kind, re.compile(re.sub(r"\(\?<(?=[a-z])", "(?P<", kind.candidate))) for kind in KINDS)
