"""The deal rules: one file a rule, listed here."""
