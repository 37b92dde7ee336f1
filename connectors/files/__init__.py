"""Exports as CSV or Parquet, read like a CRM."""
