"""A small export of two deals, for tests that need a store with something to find.

"Moved away" was put off twice, by 67 days in all, both times out of a late stage and a few
days before it was due, the last time five days before `now`: a critical slippage. "Quiet"
never changed.
"""

from datetime import datetime, timedelta
from pathlib import Path

STAGES = """pipeline,stage,position,role,is_closed,is_won
Sales,Discovery,0,early,false,false
Sales,Proposal,1,middle,false,false
Sales,Negotiation,2,late,false,false
Sales,Won,3,closed,true,true
Sales,Lost,4,closed,true,false
"""
PEOPLE = """person_id,name,email,manager_id
m1,Mara Manager,mara@example.com,
r1,Ruth Rep,ruth@example.com,m1
"""
# deal, days ago, stage, closes in days, forecast
HISTORY = [
    ("d1", 80, "Discovery", -10, "Pipeline"),
    ("d1", 60, "Proposal", -10, "Pipeline"),
    ("d1", 30, "Negotiation", -10, "Commit"),
    ("d1", 12, "Negotiation", -3, "Commit"),
    ("d1", 5, "Negotiation", 57, "Commit"),
    ("d2", 40, "Discovery", 90, "Pipeline"),
]
# deal, name, created days ago, stage, closes in days
DEALS = [("d1", "Moved away", 80, "Negotiation", 57), ("d2", "Quiet", 40, "Discovery", 90)]
DEALS_HEAD = (
    "deal_id,name,created_at,stage,close_date,owner_id,pipeline,amount,currency,is_closed,is_won\n"
)
HISTORY_HEAD = "deal_id,changed_at,stage,close_date,forecast_category,amount,changed_by\n"


def write_export(folder: Path, now: datetime, *, batch: int = 0) -> dict[str, Path]:
    """The files, by the option that names them; with `batch` deals more that one person made
    at once.
    """

    def at(days_ago: int) -> str:
        return f"{now - timedelta(days=days_ago):%Y-%m-%dT%H:%M:%SZ}"

    def on(days: int) -> str:
        return f"{now + timedelta(days=days):%Y-%m-%d}"

    history = [
        f"{deal},{at(ago)},{stage},{on(closes)},{forecast},50000,r1\n"
        for deal, ago, stage, closes, forecast in HISTORY
    ]
    deals = [
        f"{deal},{name},{at(ago)},{stage},{on(closes)},r1,Sales,50000,EUR,false,false\n"
        for deal, name, ago, stage, closes in DEALS
    ]
    for number in range(batch):
        history.append(f"b{number},{at(8)},Discovery,{on(90 + number)},Pipeline,50000,r1\n")
        deals.append(
            f"b{number},Batch {number},{at(8)},Discovery,{on(90 + number)},r1,Sales,50000,EUR,"
            "false,false\n"
        )
    texts = {
        "deals": DEALS_HEAD + "".join(deals),
        "history": HISTORY_HEAD + "".join(history),
        "stages": STAGES,
        "people": PEOPLE,
    }
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return {name: folder / f"{name}.csv" for name in texts}
