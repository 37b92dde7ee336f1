"""The rules engine: pure functions from history to findings. It knows no clock, database or CRM."""
