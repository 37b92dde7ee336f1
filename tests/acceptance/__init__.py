"""Forestage as its users run it: commands as processes against a practice CRM as a process."""
