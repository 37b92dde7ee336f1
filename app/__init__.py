"""The Forestage service: joins connectors and rules, keeps flags and writes them back."""
