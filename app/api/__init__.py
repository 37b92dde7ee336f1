"""The REST API: HTTP translation only."""
