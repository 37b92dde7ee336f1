"""The command line: `forestage`. Joins the commands and turns errors into exit codes."""

import os
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import DatabaseError
from typer.core import TyperGroup

from app.commands import (
    connections,
    demo,
    doctor,
    flags,
    imports,
    keys,
    rules,
    runs,
    sandbox,
    serve,
    setup,
)
from app.commands.screen import err
from app.errors import ForestageError
from app.services.parts import trouble
from connectors.errors import ConnectorError

EPILOG = (
    "Exit codes: 0 done; 1 an error of ours; 2 what was given is wrong; 3 not found; 4 the "
    "present state forbids it (such as a data directory in use); 5 the CRM refused or could "
    "not be reached; 6 done, but some rows were refused; 7 (doctor) rules are blind; 8 (doctor) "
    "something is broken; 130 stopped by Ctrl-C."
)
_UNUSABLE = ("DatabaseError", "OperationalError")  # damaged, or not to be reached


class Commands(TyperGroup):
    """The group of all commands: an error that a person can act on is one line, no traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; exit with the error's code."""
        try:
            return super().invoke(ctx)
        except ForestageError as error:
            fail(error)
        except ConnectorError as error:
            fail(trouble(error))
        except (DatabaseError, sqlite3.DatabaseError) as error:
            if type(error).__name__ not in _UNUSABLE:
                raise  # a mistake of ours
            # Without the statement and its values, which may be a customer's.
            words = " ".join(str(getattr(error, "orig", error)).split())
            fail(ForestageError(f"the database can't be used: {words}"))


def fail(error: ForestageError) -> None:
    """Print the error on stderr and exit with its code."""
    err().print(f"[bold red]error:[/] {_plain(str(error))}", soft_wrap=True)
    raise typer.Exit(error.exit_code)


def _plain(text: str) -> str:
    return text.replace("[", "\\[")


APP = typer.Typer(
    name="forestage",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if value:
        typer.echo(f"forestage {version('forestage')}")
        raise typer.Exit


@APP.callback()
def forestage(
    ctx: typer.Context,
    *,
    data_dir: Annotated[
        Path | None,
        typer.Option(help="Directory of the data; else FORESTAGE_DATA_DIR, else your own."),
    ] = None,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Turn a CRM's own history into flags and coaching tasks inside that CRM."""
    ctx.obj = data_dir


demo.register(APP)
sandbox.register(APP)
APP.add_typer(connections.APP, name="connections")
runs.register(APP)
flags.register(APP)
imports.register(APP)
setup.register(APP)
doctor.register(APP)
APP.add_typer(rules.APP, name="rules")
APP.add_typer(keys.APP, name="keys")
serve.register(APP)


def main() -> None:
    """Entry point of the console script."""
    os.umask(0o077)  # the store and exports hold a company's pipeline, wherever they lie
    APP()


if __name__ == "__main__":
    main()
