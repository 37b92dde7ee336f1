"""A practice HubSpot: its records, side effects and HTTP API, over the simulated organisation."""
