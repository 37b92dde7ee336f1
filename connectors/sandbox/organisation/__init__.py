"""One simulated sales organisation, told as acts; it knows no CRM and no rule."""

from connectors.sandbox.organisation.timeline import Organisation

__all__ = ["Organisation"]
