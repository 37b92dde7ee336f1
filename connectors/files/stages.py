"""The stages file: which stages a pipeline has, in which order, and which are closed."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, cast

from connectors.files.cells import Cells, Tools, read_rows
from connectors.files.settings import nearest
from connectors.files.sheet import Sheet
from connectors.files.values import plain
from connectors.records import ForecastCategory, StageRecord

StageRole = Literal["early", "middle", "late", "parking", "closed"]
ROLES: tuple[StageRole, ...] = ("early", "middle", "late", "parking", "closed")
DEFAULT_PIPELINE = "default"


class Stage(NamedTuple):
    """A row of the stages file. `pipeline` None: a stage of every pipeline."""

    pipeline: str | None
    pipeline_name: str | None
    crm_id: str
    label: str
    position: float
    is_closed: bool
    is_won: bool
    is_active: bool
    role: StageRole | None
    probability: float | None
    forecast: ForecastCategory | None


class StageBook:
    """All stages that the file names.

    `only_pipeline` is that of a deal which names none; None where there are several.
    """

    def __init__(self, stages: Iterable[Stage]) -> None:
        self._by_pipeline: dict[str | None, list[Stage]] = {}
        for stage in stages:
            self._by_pipeline.setdefault(stage.pipeline, []).append(stage)
        for of_one in self._by_pipeline.values():
            of_one.sort(key=lambda stage: stage.position)
        named = [name for name in self._by_pipeline if name is not None] or [DEFAULT_PIPELINE]
        self.only_pipeline = named[0] if len(named) == 1 else None
        self._names = {
            pipeline: {
                **{plain(stage.label) or stage.label: stage for stage in reversed(of_one)},
                **{plain(stage.crm_id) or stage.crm_id: stage for stage in reversed(of_one)},
            }
            for pipeline, of_one in self._by_pipeline.items()
        }

    def __bool__(self) -> bool:
        return bool(self._by_pipeline)

    def find(self, pipeline: str, name: str) -> Stage | None:
        """The stage of this name or label; case and punctuation don't matter."""
        for of_one in (pipeline, None):
            if (stage := self._names.get(of_one, {}).get(plain(name) or name)) is not None:
                return stage
        return None

    def hint(self, pipeline: str, name: str) -> str:
        """` (nearest: X)`, or nothing."""
        of_one = self._by_pipeline.get(pipeline) or self._by_pipeline.get(None, [])
        return nearest(name, [stage.label for stage in of_one])

    def records(self, pipelines: Iterable[str]) -> Sequence[StageRecord]:
        """The stages of the file's pipelines and of those in use."""
        named = {name for name in self._by_pipeline if name is not None}
        return [
            _record(pipeline, rank, stage)
            for pipeline in sorted(named | set(pipelines))
            for rank, stage in enumerate(self._of(pipeline))
        ]

    def roles(self, pipelines: Iterable[str]) -> Mapping[tuple[str, str], StageRole]:
        """(pipeline, stage) -> the role that the file states."""
        named = {name for name in self._by_pipeline if name is not None}
        return {
            (pipeline, stage.crm_id): stage.role
            for pipeline in named | set(pipelines)
            for stage in self._of(pipeline)
            if stage.role is not None
        }

    def _of(self, pipeline: str) -> Sequence[Stage]:
        return self._by_pipeline.get(pipeline) or self._by_pipeline.get(None, [])


def read_stages(sheet: Sheet | None, tools: Tools | None) -> StageBook:
    """The stages of a file; none without one."""
    if sheet is None or tools is None:
        return StageBook(())
    taken: set[tuple[str | None, str]] = set()
    positions: set[tuple[str | None, float]] = set()

    def parse(cells: Cells) -> Stage:
        stage = _stage(cells)
        key = (stage.pipeline, plain(stage.crm_id) or stage.crm_id)
        if key in taken:
            raise cells.fail("duplicate", "stage", "stands in the file more than once")
        taken.add(key)
        if (stage.pipeline, stage.position) in positions:
            cells.note("same_position", "position", "another stage has it; the file's order counts")
        positions.add((stage.pipeline, stage.position))
        return stage

    return StageBook(list(read_rows(sheet, tools, parse)))


def _stage(cells: Cells) -> Stage:
    crm_id = cells.need("stage", cells.label("stage"))
    stage = Stage(
        pipeline=cells.crm_id("pipeline"),
        pipeline_name=cells.label("pipeline_name"),
        crm_id=crm_id,
        label=cells.label("label") or crm_id,
        role=_role(cells),
        is_active=cells.truth("is_active") is not False,
        probability=_probability(cells),
        forecast=cells.forecast("forecast"),
        is_closed=cells.truth("is_closed") or False,
        is_won=cells.truth("is_won") or False,
        position=cells.need("position", cells.number("position")),
    )
    if stage.is_won and not stage.is_closed:
        raise cells.fail("contradiction", "is_won", "is won without being closed")
    if stage.role is not None and (stage.role == "closed") != stage.is_closed:
        raise cells.fail("contradiction", "role", "does not go with is_closed")
    return stage


def _role(cells: Cells) -> StageRole | None:
    text = cells.label("role")
    if text is None:
        return None
    if text.lower() not in ROLES:
        raise cells.fail("role", "role", f"is not one of {', '.join(ROLES)}{nearest(text, ROLES)}")
    return cast("StageRole", text.lower())


def _probability(cells: Cells) -> float | None:
    """0 to 1. Salesforce counts to 100, HubSpot to 1; 1 itself is certainty in both."""
    told = cells.number("probability")
    if told is None:
        return None
    share = told / 100 if told > 1 else told
    if not 0 <= share <= 1:
        raise cells.fail("number", "probability", "is not between 0 and 100 %")
    return share


def _record(pipeline: str, rank: int, stage: Stage) -> StageRecord:
    return StageRecord(
        pipeline_crm_id=pipeline,
        pipeline_name=stage.pipeline_name or pipeline,
        crm_id=stage.crm_id,
        label=stage.label,
        sort_order=rank,
        is_closed=stage.is_closed,
        is_won=stage.is_won,
        is_active=stage.is_active,
        probability=stage.probability,
        forecast=stage.forecast,
    )
