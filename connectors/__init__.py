"""Connectors: what Forestage reads from and writes to a CRM; `connectors.base` is the contract."""
