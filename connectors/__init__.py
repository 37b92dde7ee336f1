"""Connectors: what Forestage reads from and writes to a CRM. See `connectors.base` for the contract."""
