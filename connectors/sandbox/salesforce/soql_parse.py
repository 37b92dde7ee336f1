"""SOQL's grammar, and the tree that a query becomes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, VisitError

from connectors.sandbox.salesforce.errors import malformed

GRAMMAR = r"""
?start: query
query: SELECT items FROM NAME [NAME] [where] [group] [order] [limit] [offset]
items: item ("," item)*
?item: AGGREGATE "(" [PATH] ")" [NAME]  -> aggregate
     | FIELDS "(" NAME ")"              -> fields
     | "(" query ")"                    -> children
     | PATH [NAME]                      -> plain
where: WHERE condition
?condition: unit | conjunction | disjunction
conjunction: unit (AND unit)+
disjunction: unit (OR unit)+
?unit: "(" condition ")"
     | NOT unit                         -> negation
     | comparison
?comparison: operand OPERATOR value     -> compare
     | operand LIKE value               -> compare
     | operand (IN | NOT_IN) "(" value ("," value)* ")"  -> among
     | operand (IN | NOT_IN) "(" query ")"               -> joined
     | operand (INCLUDES | EXCLUDES) "(" value ("," value)* ")" -> among
operand: PATH
     | AGGREGATE "(" [PATH] ")"
value: STRING | DATETIME | DATE | NUMBER | TRUE | FALSE | NULL | DATE_LITERAL
group: GROUP_BY PATH ("," PATH)* [HAVING condition]
order: ORDER_BY ordering ("," ordering)*
ordering: operand [ASC | DESC] [NULLS_FIRST | NULLS_LAST]
limit: LIMIT INTEGER
offset: OFFSET INTEGER

SELECT.2: /select\b/i
FROM.2: /from\b/i
WHERE.2: /where\b/i
GROUP_BY.2: /group\s+by\b/i
HAVING.2: /having\b/i
ORDER_BY.2: /order\s+by\b/i
LIMIT.2: /limit\b/i
OFFSET.2: /offset\b/i
AND.2: /and\b/i
OR.2: /or\b/i
NOT_IN.3: /not\s+in\b/i
NOT.2: /not\b/i
IN.2: /in\b/i
LIKE.2: /like\b/i
INCLUDES.2: /includes\b/i
EXCLUDES.2: /excludes\b/i
ASC.2: /asc\b/i
DESC.2: /desc\b/i
NULLS_FIRST.2: /nulls\s+first\b/i
NULLS_LAST.2: /nulls\s+last\b/i
TRUE.2: /true\b/i
FALSE.2: /false\b/i
NULL.2: /null\b/i
AGGREGATE.2: /(count_distinct|count|min|max|sum|avg)(?=\s*\()/i
FIELDS.2: /fields(?=\s*\()/i
OPERATOR: /<=|>=|!=|<>|=|<|>/
PATH: /[a-z]\w*(\.[a-z]\w*)*/i
NAME: /[a-z]\w*/i
STRING: /'(?:[^'\\]|\\.)*'/
DATETIME.3: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)/
DATE.2: /\d{4}-\d\d-\d\d/
NUMBER: /[+-]?(\d+(\.\d*)?|\.\d+)/
INTEGER: /\d+/
DATE_LITERAL: /[a-z]\w*(:\d+)?/i
%import common.WS
%ignore WS
"""

Comparator = Literal["=", "!=", "<", "<=", ">", ">=", "like"]
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Value:
    """A literal: string, number, boolean, null, date, datetime or date literal (`named`)."""

    kind: str
    value: Any


@dataclass(frozen=True, slots=True)
class Operand:
    """A field path, or a function of one."""

    path: str | None
    function: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One selected thing, with its alias."""

    operand: Operand
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class FieldsOf:
    """FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Compare:
    """`operand comparator value`."""

    operand: Operand
    comparator: Comparator
    value: Value


@dataclass(frozen=True, slots=True)
class Among:
    """`operand [NOT] IN (...)`: values, or a query; for a multi-picklist INCLUDES, EXCLUDES."""

    operand: Operand
    is_negated: bool
    values: "tuple[Value, ...] | Query"


@dataclass(frozen=True, slots=True)
class Junction:
    """Conditions joined by `and` or `or`."""

    word: Literal["AND", "OR"]
    parts: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT."""

    part: Any


@dataclass(frozen=True, slots=True)
class Ordering:
    """One term of ORDER BY."""

    operand: Operand
    is_descending: bool
    nulls_last: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A whole SELECT."""

    items: "tuple[Item | FieldsOf | Query, ...]"
    source: str
    alias: str | None
    where: Any = None
    group: tuple[str, ...] = ()
    having: Any = None
    order: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int = 0


def unescape(quoted: str) -> str:
    r"""The text of a quoted string; `\%` and `\_` stay for LIKE."""
    return re.sub(
        r"\\(.)",
        lambda found: found[0] if found[1] in "%_" else _ESCAPES.get(found[1].lower(), found[1]),
        quoted[1:-1],
        flags=re.DOTALL,
    )


def _word(token: Token | None) -> str | None:
    return None if token is None else str(token)


class _Tree(Transformer[Token, Query]):
    """Turns lark's tree into ours."""

    def items(self, parts: list[Any]) -> tuple[Any, ...]:
        return tuple(parts)

    def aggregate(self, parts: list[Any]) -> Item:
        name, path, alias = parts
        return Item(Operand(_word(path), str(name).lower()), _word(alias))

    def fields(self, parts: list[Any]) -> FieldsOf:
        return FieldsOf(str(parts[1]).upper())

    def children(self, parts: list[Any]) -> Query:
        found: Query = parts[0]
        return found

    def plain(self, parts: list[Any]) -> Item:
        return Item(Operand(str(parts[0])), _word(parts[1]))

    def where(self, parts: list[Any]) -> Any:
        return parts[1]

    def conjunction(self, parts: list[Any]) -> Junction:
        return Junction("AND", tuple(parts[::2]))

    def disjunction(self, parts: list[Any]) -> Junction:
        return Junction("OR", tuple(parts[::2]))

    def negation(self, parts: list[Any]) -> Negation:
        return Negation(parts[1])

    def operand(self, parts: list[Any]) -> Operand:
        if parts[0].type == "AGGREGATE":
            return Operand(_word(parts[1]), str(parts[0]).lower())
        return Operand(str(parts[0]))

    def compare(self, parts: list[Any]) -> Compare:
        operand, sign, value = parts
        word = str(sign).lower()
        return Compare(operand, "!=" if word == "<>" else word, value)  # type: ignore[arg-type]

    def among(self, parts: list[Any]) -> Among:
        return Among(parts[0], parts[1].type in ("NOT_IN", "EXCLUDES"), tuple(parts[2:]))

    def joined(self, parts: list[Any]) -> Among:
        return Among(parts[0], parts[1].type == "NOT_IN", parts[2])

    def value(self, parts: list[Token]) -> Value:
        kind, text = parts[0].type, str(parts[0])
        if kind == "STRING":
            return Value("string", unescape(text))
        if kind == "NUMBER":
            return Value("number", float(text) if "." in text else int(text))
        if kind in ("TRUE", "FALSE"):
            return Value("boolean", kind == "TRUE")
        if kind == "NULL":
            return Value("null", None)
        return Value("named" if kind == "DATE_LITERAL" else kind.lower(), text)

    def group(self, parts: list[Any]) -> tuple[tuple[str, ...], Any]:
        having = parts[-1] if isinstance(parts[-2], Token) and parts[-2].type == "HAVING" else None
        paths = [part for part in parts[1:] if isinstance(part, Token) and part.type == "PATH"]
        return tuple(map(str, paths)), having

    def order(self, parts: list[Any]) -> tuple[Ordering, ...]:
        return tuple(parts[1:])

    def ordering(self, parts: list[Any]) -> Ordering:
        operand, direction, nulls = parts
        return Ordering(
            operand,
            direction is not None and direction.type == "DESC",
            nulls is not None and nulls.type == "NULLS_LAST",
        )

    def limit(self, parts: list[Any]) -> int:
        return int(parts[1])

    offset = limit

    @v_args(inline=True)
    def query(self, *parts: Any) -> Query:
        _, items, _, source, alias, where, group, order, limit, offset = parts
        grouped, having = group or ((), None)
        return Query(
            items=items,
            source=str(source),
            alias=_word(alias),
            where=where,
            group=grouped,
            having=having,
            order=order or (),
            limit=limit,
            offset=offset or 0,
        )


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr", maybe_placeholders=True)


def place(soql: str, position: int, message: str) -> str:
    """`message` under a pointer to where in the query it went wrong, as the API does it."""
    start = max(0, position - 24)
    shown = " ".join(soql[start : position + 24].split())
    return (
        f"\n{shown}\n{' ' * (position - start)}^\nERROR at Row:1:Column:{position + 1}\n{message}"
    )


def _complaint(soql: str, error: UnexpectedInput) -> str:
    if isinstance(error, UnexpectedEOF):
        return "unexpected token: <EOF>"
    token = getattr(error, "token", None)
    if token is not None and token.type == "$END":
        return "unexpected token: <EOF>"
    position: int = getattr(error, "pos_in_stream", None) or 0
    shown = str(token) if token is not None else soql[position : position + 1]
    if isinstance(error, UnexpectedCharacters):
        shown = re.split(r"\s", soql[position:], maxsplit=1)[0]
    return place(soql, position, f"unexpected token: '{shown}'")


def parse(soql: str) -> Query:
    """The tree of a query; `MALFORMED_QUERY` if it is none."""
    try:
        return _Tree().transform(_parser().parse(soql))
    except UnexpectedInput as error:
        raise malformed(_complaint(soql, error)) from error
    except VisitError as error:
        raise malformed(str(error.orig_exc)) from error


def names(query: Query) -> Sequence[str]:
    """The paths that a query selects, for telling where an error is."""
    return [item.operand.path or "" for item in query.items if isinstance(item, Item)]
