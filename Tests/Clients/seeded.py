"""What examples/experts/seed makes: every id follows from a number."""

#: Experts are 1 to 2,000; every fiftieth is not listed.
LISTED_EXPERTS = 1960
SKILLS = 32
PROFILES = 5000


def expert(number: int) -> str:
    return f"e0000000-0000-4000-8000-{number:012x}"


def asker(number: int) -> str:
    return f"a0000000-0000-4000-8000-{number:012x}"


def question(number: int) -> str:
    return f"b0000000-0000-4000-8000-{number:012x}"


#: Asker 1 asked these and no others: about Nutrition, Gardening and Tax law, all three still open.
QUESTIONS_OF_ASKER_1 = [question(3000), question(6000), question(9000)]
