"""Exports as CSV or Parquet, read like a CRM: try the product before any API access."""

from connectors.files.problems import FileError, Problem
from connectors.files.reader import FilesReader, connect
from connectors.files.settings import KINDS, ExportSettings, Kind, load_settings

__all__ = [
    "KINDS",
    "ExportSettings",
    "FileError",
    "FilesReader",
    "Kind",
    "Problem",
    "connect",
    "load_settings",
]
