"""Practice CRMs: one simulated sales organisation behind CRM APIs."""
