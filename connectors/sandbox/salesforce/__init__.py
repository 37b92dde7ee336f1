"""A practice Salesforce: its HTTP API over one SQLite file, faithful to clients by others."""
