"""What a model is for, in the words of those who answer for it."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from baton.specification.base import Specification

Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class Card(Specification):
    """The part of a version's SageMaker Model Card that no run can know; it also heads the page of the evidence.

    Args:
        purpose: What the model is to find out.
        intended_uses: Who may use an answer, and what for.
        out_of_scope: What an answer must not be used for.
        risk_rating: How much harm a wrong answer can do.
        risk_reason: Why it is rated so.
        business_problem: What the business wants to solve.
        stakeholders: Who is concerned.
        line_of_business: Which part of the company it serves.
        ethical_considerations: What to mind about the people concerned.
        caveats: What to know before relying on it.
    """

    purpose: Words
    intended_uses: Words
    out_of_scope: Words
    risk_rating: Literal["high", "medium", "low", "unknown"]
    risk_reason: Words
    business_problem: Words | None = None
    stakeholders: Words | None = None
    line_of_business: Words | None = None
    ethical_considerations: Words | None = None
    caveats: Words | None = None
