"""The contents of a language's table: words in their forms, and the rules of numbers, dates, negation and roles.

Each key of a table is a field here. `words/README.md` gives an overview.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

NOTHING = re.compile(r"(?!)")
"""A pattern that matches nowhere."""


class Vocabulary:
    """Words in all their forms, each with its meaning.

    A form that ends in `*` is the beginning of a word with any ending.
    """

    def __init__(self, entries: Iterable[tuple[str, str]] = ()) -> None:
        self._whole: dict[str, str] = {}
        self._beginnings: dict[str, str] = {}
        for form, meaning in entries:
            (self._beginnings if form.endswith("*") else self._whole)[form.removesuffix("*")] = meaning

    def find(self, form: str) -> str | None:
        """Return the meaning of a form, or None. Whole words are preferred to beginnings, and these by length."""
        if form in self._whole:
            return self._whole[form]
        beginnings = (form[:size] for size in range(len(form), 0, -1))
        return next((self._beginnings[start] for start in beginnings if start in self._beginnings), None)

    def __contains__(self, form: str) -> bool:
        return self.find(form) is not None

    def forms(self) -> dict[str, str]:
        """Return every form with its meaning; beginnings are without their star."""
        return self._beginnings | self._whole


@dataclass(frozen=True, slots=True)
class NumberWords:
    """Words within numbers, and between numbers and what they count. They are compared as they are written."""

    within: tuple[str, ...] = ()
    """Joins the parts of a number that is one word: vier*und*zwanzig."""
    between: tuple[str, ...] = ()
    """Joins the words of one number: two hundred *and* five."""
    ranges: tuple[str, ...] = ()
    """Stands between the two ends of a range: four *to* five."""
    of: tuple[str, ...] = ()
    """Stands between a number and what it counts: millones *de* euros."""
    per: tuple[str, ...] = ()
    """Makes a percentage of the hundred that follows: 40 *pour* cent."""


@dataclass(frozen=True, slots=True)
class DateWords:
    """The way dates are written. All words but `endings` and `stem_endings` are compared as they are written."""

    endings: tuple[str, ...] = ()
    """Case endings that months and weekdays take."""
    stem_endings: tuple[str, ...] = ()
    """Endings of their names in CLDR that give way to other endings."""
    fleeting: str = ""
    """Vowels that drop out before the last consonant: říjen, říj*n*a."""
    ambiguous: tuple[str, ...] = ()
    """Months that are ordinary words too. They count only beside a day, a year or a preposition."""
    before_month: tuple[str, ...] = ()
    """Prepositions after which an ambiguous month counts if it has a capital: in May."""
    between_days: tuple[str, ...] = ()
    """Stands between two days of a month: 18 *and* 19 October."""
    ordinals: tuple[str, ...] = ()
    """Endings of an ordinal in digits, apart from the full stop: 1*st*."""
    day_to_month: tuple[str, ...] = ()
    """Stands between a day and its month: 7 *de* septiembre."""
    month_to_year: tuple[str, ...] = ()
    """Stands between a month and its year: septiembre *de* 2023."""
    year_to_month: tuple[str, ...] = ()
    """Stands between a year and its month: 2019. *aasta* aprillis."""
    month_first: bool = False
    """True where the month precedes the day: July 12, 7/12/2025."""
    capital_weekdays: bool = False
    """True if only a word with a capital is a weekday, as the same word means something else without."""
    in_every_language: bool = False
    """True if texts in any language may hold such dates, for instance in quoted posts."""


@dataclass(frozen=True, slots=True)
class NameEndings:
    """Patterns searched in a name: its normalised words with one space between."""

    agent: re.Pattern[str] = NOTHING
    other: re.Pattern[str] = NOTHING


@dataclass(frozen=True, slots=True)
class RoleSigns:
    """The signs that tell who acts from who is acted on."""

    kind: Literal["none", "articles", "endings", "order"] = "none"
    """The sign of a name's role: an article or preposition before it, its ending, or the order of the words."""
    passive: Vocabulary = field(default_factory=Vocabulary)
    """Words that show that a sentence may be passive. Its names then have no roles."""
    mutual: Vocabulary = field(default_factory=Vocabulary)
    """Verbs and nouns for things that two sides do together: meet, talk."""
    openers: Vocabulary = field(default_factory=Vocabulary)
    """Words that open a clause, after which a nominative may follow: that."""
    demonyms: re.Pattern[str] = NOTHING
    """Names of peoples that have a capital and are not places; searched in the words as they are written."""
    agent: Vocabulary = field(default_factory=Vocabulary)
    """Articles before the one who acts; for the kind `articles`."""
    other: Vocabulary = field(default_factory=Vocabulary)
    """Articles and prepositions before those who do not act; for the kind `articles`."""
    unclear: Vocabulary = field(default_factory=Vocabulary)
    """Words that leave the role of a name open if they stand just before it; for the kind `articles`."""
    country: NameEndings = field(default_factory=NameEndings)
    """Endings of countries; for the kind `endings`."""
    person: NameEndings = field(default_factory=NameEndings)
    """Endings of people; for the kind `endings`."""


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """Everything a table says of its language; each field is a key of the table.

    There is one object for each language, so two are equal only if they are the same.
    """

    language: str
    also: tuple[str, ...] = ()
    """Codes of other languages that are read with this table."""
    locales: tuple[str, ...] = ()
    """CLDR locales of the months and weekdays; the language itself by default."""
    accents: bool = True
    """False where words are compared without accents."""
    letters: tuple[str, ...] = ()
    """Letters to replace before words are compared, each as `letter=replacement`."""

    numerals: Vocabulary = field(default_factory=Vocabulary)
    """Number words; their meaning is the number in digits."""
    units: Vocabulary = field(default_factory=Vocabulary)
    """Units; their meaning is the unit in English."""
    months: Vocabulary = field(default_factory=Vocabulary)
    """Months; their meaning is 1 to 12."""
    weekdays: Vocabulary = field(default_factory=Vocabulary)
    """Weekdays; their meaning is 0 to 6, from Monday."""
    numbers: NumberWords = field(default_factory=NumberWords)
    dates: DateWords = field(default_factory=DateWords)
    more: tuple[str, ...] = ()
    """Words before a number that is exceeded, the plainest first: over, more than."""
    less: tuple[str, ...] = ()
    """Words before a number that is not reached, the plainest first: under, less than."""
    inclusive: tuple[str, ...] = ()
    """The entries of `more` and `less` that include the number itself: at least, at most."""
    adds_bounds: bool = True
    """False if the first of `more` and `less` cannot be put before every number unchanged."""
    near: Vocabulary = field(default_factory=Vocabulary)
    """Words before a number that is not exact."""

    negation: Vocabulary = field(default_factory=Vocabulary)
    negative_endings: tuple[str, ...] = ()
    """Endings of a negated word: n't."""
    negative_verbs: re.Pattern[str] = NOTHING
    """Whole words that are verbs with a prefix of negation."""
    positive: Vocabulary = field(default_factory=Vocabulary)
    """Words that `negative_verbs` matches and that are not negated."""
    weak: Vocabulary = field(default_factory=Vocabulary)
    """Words that deny without negating: refuse, without."""
    only: Vocabulary = field(default_factory=Vocabulary)
    """Words that take a negation back: not *only*."""
    conjunctions: tuple[str, ...] = ()
    """Words between two clauses, as they are written."""

    who: Vocabulary = field(default_factory=Vocabulary)
    """Words that ask for a name."""
    ordinary: Vocabulary = field(default_factory=Vocabulary)
    """Words with a capital in titles and institutions. They are not names, since they are translated."""
    capital_nouns: bool = False
    """True where every noun has a capital."""
    adjectives: tuple[str, ...] = ()
    """Letters within adjectives that are made from places and have no capital: kur*sk*iego, of Kursk."""

    origin: Vocabulary = field(default_factory=Vocabulary)
    """Prepositions of where one comes from."""
    goal: Vocabulary = field(default_factory=Vocabulary)
    """Prepositions of where one goes to."""
    at: Vocabulary = field(default_factory=Vocabulary)
    """Prepositions of where one is, as well as where one goes to."""
    prepositions: Vocabulary = field(default_factory=Vocabulary)
    """All other prepositions."""
    with_endings: re.Pattern[str] = NOTHING
    """Endings of a name after which a preposition of `origin` means `with`."""
    origin_endings: re.Pattern[str] = NOTHING
    """Endings of a name that one comes from."""
    goal_endings: re.Pattern[str] = NOTHING
    """Endings of a name that one goes to."""
    roles: RoleSigns = field(default_factory=RoleSigns)

    def is_preposition(self, form: str) -> bool:
        """Return whether a word is a preposition of any kind."""
        return any(form in words for words in (self.origin, self.goal, self.at, self.prepositions))
