"""Tables and their queries together, one file a family. SQLAlchemy Core, never the ORM."""
